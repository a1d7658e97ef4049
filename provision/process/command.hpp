#pragma once

#include "common/file/safe_file.hpp"
#include "common/process/environment.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace trebuchet {

/// A program to run in the current folder, as the leader of a process group of its own.
struct Command {
    static constexpr std::size_t usual_output_limit = std::size_t{64} * 1024;

    std::vector<std::string> argv{};                     ///< argv[0] without a slash is looked up on our PATH
    const Environment* environment = nullptr;            ///< all of it; null: our own
    std::optional<std::chrono::milliseconds> timeout{};  ///< then its process group is killed
    bool capture_output = false;  ///< stdout and stderr as one into CommandResult::output, else they are ours
    std::optional<std::string_view> input{};  ///< its stdin, which may be secret; else `input_fd`
    int input_fd = -1;                        ///< its stdin; -1: /dev/null
    int output_fd = -1;                       ///< its stdout, apart from what is captured; -1: as above
    /// What puts the device into a defined state: it runs although we were told to stop, and is not stopped by that.
    /// It needs a timeout.
    bool despite_interrupt = false;
    std::size_t output_limit = usual_output_limit;  ///< bytes of what is captured, from its start
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
    std::string output;  ///< what was captured, at most Command::output_limit
};

/// As a shell counts: the command's own, 128 + signal, 124 after a timeout, 127 not found, 126 not runnable.
[[nodiscard]] int exit_code(const CommandEnd& end);

[[nodiscard]] inline bool succeeded(const CommandResult& result) {
    return exit_code(result.end) == 0;
}

/// For people: "exit code 3, it said: …", with the end of what it printed.
[[nodiscard]] std::string describe(const CommandResult& result);

/// For people: "exit code 3", "killed by signal 9 (Killed)".
[[nodiscard]] std::string describe(const CommandEnd& end);

/// A program that runs while we write its stdin or read its stdout.
class RunningCommand {
  public:
    /// Ends it, if it still runs.
    virtual ~RunningCommand() = default;

    /// Our end of the pipe. Whoever takes it may use it on a thread of his own; he must not take SIGPIPE.
    [[nodiscard]] virtual FileDescriptor take_pipe() = 0;
    /// Waits for its end; false if it still runs after `time`.
    [[nodiscard]] virtual bool wait_for(std::chrono::milliseconds time) = 0;
    /// Its end, with what it printed that is not for us. If it still runs, it gets SIGTERM, and SIGKILL after the
    /// grace.
    [[nodiscard]] virtual CommandResult end() = 0;
};

enum class Piped { input, output };

class CommandRunner {
  public:
    virtual ~CommandRunner() = default;
    /// Returns when the command has ended; what it left running in the background goes on.
    [[nodiscard]] virtual CommandResult run(const Command& command) = 0;

    /// Starts the command with its stdin or stdout as a pipe to us. What it prints elsewhere is captured. Its timeout
    /// is not looked at. Others may be run meanwhile.
    [[nodiscard]] virtual tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> start(const Command& command,
                                                                                          Piped piped) = 0;
};

}  // namespace trebuchet
