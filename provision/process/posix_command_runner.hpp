#pragma once

#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"

#include <chrono>

namespace trebuchet {

/// Runs commands with posix_spawn, one at a time. After a stop signal or a timeout the command's process group gets
/// SIGTERM and, after `grace`, SIGKILL.
class PosixCommandRunner final : public CommandRunner {
  public:
    /// Makes this process the subreaper of orphans, to know when a whole process group has ended. A stop signal usually
    /// goes to our commands too: if a command died of one, we wait `signal_delay` for ours, to report an interruption
    /// and not a failure.
    explicit PosixCommandRunner(SignalInterrupt& interrupt, std::chrono::milliseconds grace = std::chrono::seconds(5),
                                std::chrono::milliseconds signal_delay = std::chrono::milliseconds(200));

    [[nodiscard]] CommandResult run(const Command& command) override;
    [[nodiscard]] tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> start(const Command& command,
                                                                                  Piped piped) override;

  private:
    class Running;

    SignalInterrupt* interrupt_;
    std::chrono::milliseconds grace_;
    std::chrono::milliseconds signal_delay_;
};

}  // namespace trebuchet
