#pragma once

#include "common/process/environment.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace trebuchet {

/// A program to run in the current folder, stdin from /dev/null, as the leader of a process group of its own.
struct Command {
    std::vector<std::string> argv;                     ///< argv[0] without a slash is looked up on our PATH
    const Environment* environment = nullptr;          ///< all of it; null: our own
    std::optional<std::chrono::milliseconds> timeout;  ///< then its process group is killed
    bool capture_output = false;  ///< stdout and stderr as one into CommandResult::output, else they are ours
};

struct CommandExited {
    int code = 0;
};
struct CommandKilled {
    int signal = 0;
};
struct CommandTimedOut {};
/// We were told to stop, and passed that on to the command's process group.
struct CommandInterrupted {
    int signal = 0;
};
struct CommandNotStarted {
    int error_number = 0;
};

using CommandEnd = std::variant<CommandExited, CommandKilled, CommandTimedOut, CommandInterrupted, CommandNotStarted>;

struct CommandResult {
    CommandEnd end;
    std::string output;  ///< what was captured, at most the first 64 KiB
};

/// As a shell counts: the command's own, 128 + signal, 124 after a timeout, 127 not found, 126 not runnable.
[[nodiscard]] int exit_code(const CommandEnd& end);

/// For people: "exit code 3", "killed by signal 9 (Killed)".
[[nodiscard]] std::string describe(const CommandEnd& end);

class CommandRunner {
  public:
    virtual ~CommandRunner() = default;
    /// Returns when the command has ended; what it left running in the background goes on.
    [[nodiscard]] virtual CommandResult run(const Command& command) = 0;
};

}  // namespace trebuchet
