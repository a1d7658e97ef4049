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
    /// Whoever stops us stops our commands as well: after one that ended as if it was stopped, `time_to_be_told` is how
    /// long our own signal may take.
    explicit PosixCommandRunner(SignalInterrupt& interrupt, std::chrono::milliseconds grace = std::chrono::seconds(5),
                                std::chrono::milliseconds time_to_be_told = std::chrono::milliseconds(200));

    [[nodiscard]] CommandResult run(const Command& command) override;
    [[nodiscard]] tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> start(const Command& command,
                                                                                  Piped piped) override;

  private:
    class Running;

    SignalInterrupt* interrupt_;
    std::chrono::milliseconds grace_;
    std::chrono::milliseconds time_to_be_told_;
};

}  // namespace trebuchet
