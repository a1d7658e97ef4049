#pragma once

#include "tests/integration/harness/agent.hpp"

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet::harness {

/// A job with everything: attachments, a secret that each phase prints, a serial log, artifacts, device info, events.
class WholeJob {
  public:
    /// `TOKEN` in the phases.
    static constexpr const char* secret = "a value that nobody may see";
    static constexpr std::array phases{"setup", "provision", "test", "cleanup"};

    /// Sets the agent's phases up and stores the secret.
    WholeJob(LabServer& server, Agent& agent);

    /// Posts one; returns its id.
    std::string post();

    /// A log with "<mask>" for each mask and without the agent's list of what was masked.
    [[nodiscard]] static std::string plain(const std::string& log);
    /// What the phase prints after its banner, as `plain` has it.
    [[nodiscard]] static std::string output_of(const std::string& phase);
    /// The serial log of each phase, likewise.
    [[nodiscard]] static std::string serial();
    [[nodiscard]] static std::string banner(const std::string& phase);

    /// Processes of the phases that are alive.
    [[nodiscard]] std::vector<pid_t> processes() const;

  private:
    LabServer& server_;
    std::filesystem::path folder_;
};

}  // namespace trebuchet::harness
