#pragma once

#include "tests/integration/harness/agent.hpp"

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet::harness {

/// A job that uses everything: attachments, a secret that each phase prints, serial logs, artifacts, device info and
/// events.
class WholeJob {
  public:
    /// The value of $TOKEN in the phases.
    static constexpr const char* secret = "a value that nobody may see";
    static constexpr std::array phases{"setup", "provision", "test", "cleanup"};

    /// Configures the agent's phases and stores the secret on the server.
    WholeJob(LabServer& server, Agent& agent);

    /// Posts a job and returns its id.
    std::string post();

    /// The log with "<mask>" in place of each mask, and without the agent's list of masked secrets.
    [[nodiscard]] static std::string plain(const std::string& log);
    /// The phase's output after the banner, in the form of `plain`.
    [[nodiscard]] static std::string output_of(const std::string& phase);
    /// The serial log of each phase, in the form of `plain`.
    [[nodiscard]] static std::string serial();
    [[nodiscard]] static std::string banner(const std::string& phase);

    /// The phases' living processes.
    [[nodiscard]] std::vector<pid_t> processes() const;

  private:
    LabServer& server_;
    std::filesystem::path folder_;
};

}  // namespace trebuchet::harness
