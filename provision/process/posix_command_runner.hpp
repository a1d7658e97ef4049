#pragma once

#include "provision/process/captured_output.hpp"
#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"

#include <chrono>

namespace trebuchet {

/// Runs commands with posix_spawn, one at a time. After a stop signal or a timeout the command's process group gets
/// SIGTERM and, after `grace`, SIGKILL. What a background process of a command writes later is read and dropped for as
/// long as the runner lives; started commands must not outlive it.
class PosixCommandRunner final : public CommandRunner {
  public:
    /// Makes this process the subreaper of orphans, to know when a whole process group has ended. A stop signal usually
    /// goes to our commands too: if a command died of one, we wait `signal_delay` for ours, to report an interruption
    /// and not a failure.
    explicit PosixCommandRunner(SignalInterrupt& interrupt, std::chrono::milliseconds grace = std::chrono::seconds(5),
                                std::chrono::milliseconds signal_delay = std::chrono::milliseconds(200));
    ~PosixCommandRunner() override;
    PosixCommandRunner(const PosixCommandRunner&) = delete;
    PosixCommandRunner& operator=(const PosixCommandRunner&) = delete;

    [[nodiscard]] CommandResult run(const Command& command) override;
    [[nodiscard]] tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> start(const Command& command,
                                                                                  Piped piped) override;

  private:
    class Running;
    using Captured = std::unique_ptr<CapturedOutput>;
    static constexpr std::size_t most_still_open = 16;

    /// Takes its text; "" of null. A pipe that background processes hold goes on being read.
    [[nodiscard]] std::string text_of(Captured output);
    void keep(Captured output);

    SignalInterrupt* interrupt_;
    std::chrono::milliseconds grace_;
    std::chrono::milliseconds signal_delay_;
    std::vector<Captured> still_open_{};
};

}  // namespace trebuchet
