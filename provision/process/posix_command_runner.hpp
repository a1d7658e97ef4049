#pragma once

#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"

#include <chrono>

namespace trebuchet {

/// Runs commands by posix_spawn, one at a time. When the interrupt fires, or the command's time is up, its process
/// group gets SIGTERM and, if its leader is still there after `grace`, SIGKILL.
class PosixCommandRunner final : public CommandRunner {
  public:
    /// Makes this process the subreaper of what its commands leave behind, to know when a group has ended.
    explicit PosixCommandRunner(SignalInterrupt& interrupt, std::chrono::milliseconds grace = std::chrono::seconds(5));

    [[nodiscard]] CommandResult run(const Command& command) override;
    [[nodiscard]] tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> start(const Command& command,
                                                                                  Piped piped) override;

  private:
    class Running;

    SignalInterrupt* interrupt_;
    std::chrono::milliseconds grace_;
};

}  // namespace trebuchet
