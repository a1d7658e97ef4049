#pragma once

#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"

namespace trebuchet {

/// Runs commands even after a stop signal, each for at most `limit`: to put a device into a safe state.
class UninterruptedRunner final : public CommandRunner {
  public:
    /// `inner` must outlive it.
    UninterruptedRunner(CommandRunner& inner, std::chrono::milliseconds limit) : inner_(&inner), limit_(limit) {}

    [[nodiscard]] CommandResult run(const Command& command) override;
    [[nodiscard]] tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> start(const Command& command,
                                                                                  Piped piped) override;

  private:
    CommandRunner* inner_;
    std::chrono::milliseconds limit_;
};

}  // namespace trebuchet
