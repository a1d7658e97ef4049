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

/// A program to run in the current folder, in its own process group.
struct Command {
    static constexpr std::size_t usual_output_limit = std::size_t{64} * 1024;

    std::vector<std::string> argv{};                     ///< argv[0] without a slash is looked up in our PATH
    const Environment* environment = nullptr;            ///< the whole environment; null: inherit ours
    std::optional<std::chrono::milliseconds> timeout{};  ///< then its process group is stopped; nullopt: no limit
    bool capture_output = false;  ///< stdout and stderr, merged, go to CommandResult::output; false: inherited
    bool errors_apart = false;    ///< with capture_output: stderr goes to CommandResult::errors instead
    std::optional<std::string_view> input{};  ///< content of its stdin, may be secret; nullopt: `input_fd`
    int input_fd = -1;                        ///< its stdin; -1: /dev/null
    int output_fd = -1;                       ///< its stdout, which is then not captured; -1: see `capture_output`
    /// Runs to its end although we got a stop signal: for commands that put the device into a safe state. Needs a
    /// timeout.
    bool ignore_stop_signal = false;
    /// Captured output in bytes; the rest is read and dropped.
    std::size_t output_limit = usual_output_limit;
};

struct CommandExited {
    int code = 0;
};
struct CommandKilled {
    int signal = 0;
};
struct CommandTimedOut {};
/// We got a stop signal (SIGTERM, SIGINT or SIGHUP) and stopped the command's process group.
struct CommandInterrupted {
    int signal = 0;
};
struct CommandNotStarted {
    int error_number = 0;
};

using CommandEnd = std::variant<CommandExited, CommandKilled, CommandTimedOut, CommandInterrupted, CommandNotStarted>;

struct CommandResult {
    CommandEnd end;
    std::string output;    ///< captured output, at most Command::output_limit bytes
    std::string errors{};  ///< captured stderr, if it is apart: at most Command::usual_output_limit bytes
};

/// The command's own exit code, or one of exit_codes.hpp: 128 + signal, 124 timeout, 126 not runnable, 127 not found.
[[nodiscard]] int exit_code(const CommandEnd& end);

[[nodiscard]] inline bool succeeded(const CommandResult& result) {
    return exit_code(result.end) == 0;
}

/// For messages: "exit code 3, it said: …", with the last 300 bytes of its output.
[[nodiscard]] std::string describe(const CommandResult& result);

/// For messages: "exit code 3", "killed by signal 9 (Killed)".
[[nodiscard]] std::string describe(const CommandEnd& end);

/// A program that is running while we write its stdin or read its stdout.
class RunningCommand {
  public:
    /// Stops it if it still runs.
    virtual ~RunningCommand() = default;

    /// Our end of the pipe. Another thread may use it; that thread must block SIGPIPE.
    [[nodiscard]] virtual FileDescriptor take_pipe() = 0;
    /// Waits until it has exited; false if it still runs after `time`.
    [[nodiscard]] virtual bool wait_for(std::chrono::milliseconds time) = 0;
    /// Stops it if it still runs: SIGTERM, then SIGKILL after the grace period. The result holds its output other than
    /// the pipe's.
    [[nodiscard]] virtual CommandResult stop() = 0;
};

enum class Piped { input, output };

class CommandRunner {
  public:
    virtual ~CommandRunner() = default;
    /// Returns when the command has exited; its background processes go on.
    [[nodiscard]] virtual CommandResult run(const Command& command) = 0;

    /// Starts the command with a pipe as its stdin or stdout. Its other output is captured. Ignores `timeout`. Other
    /// commands may run meanwhile.
    [[nodiscard]] virtual tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> start(const Command& command,
                                                                                          Piped piped) = 0;
};

}  // namespace trebuchet
