#pragma once

#include "tests/integration/harness/lab_test.hpp"
#include "tests/integration/harness/whole_job.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace trebuchet::harness {

/// What becomes of the server.
enum class Outage {
    none,
    between,  ///< it is killed and started again while the agent is away
    after,    ///< it is killed while the agent is away, and is back only after the agent
    before,   ///< it is killed before the agent, and is back only after it; only for kills by time
};

/// One way for an agent to be killed while it runs a job with everything, and for its server to behave meanwhile.
struct Crash {
    std::string name;
    std::string point;                  ///< of common/fail_point; "": by time
    std::chrono::milliseconds after{};  ///< since the job was taken
    std::string recovery_point{};       ///< where the next start is killed as well; "": nowhere
    std::vector<Json> faults{};         ///< of the server, from the start
    Outage outage = Outage::none;

    friend void PrintTo(const Crash& shown, std::ostream* out) { *out << shown.name; }
};

/// Kills at each of the steps of a job, and at `count` random times; with another fault of the server each. Every
/// `each`-th of these only.
[[nodiscard]] std::vector<Crash> crashes_at_steps(std::size_t each);
[[nodiscard]] std::vector<Crash> crashes_at_random(std::size_t count);
/// Kills at each step of the recovery after a first kill.
[[nodiscard]] std::vector<Crash> crashes_of_recovery(std::size_t each);

[[nodiscard]] std::string name_of_crash(const ::testing::TestParamInfo<Crash>& instance);

class CrashMatrix : public ::testing::TestWithParam<Crash> {
  protected:
    CrashMatrix();

    /// Kills the agent as the parameter says, and starts it again.
    void crash(const std::string& job_id);
    /// Everything that was promised of the job holds.
    void expect_made_good(const std::string& job_id);
    TemporaryFolder folder;
    TestAuthority authority{folder.path(), "authority"};
    LabServer server{folder / "server", authority, 0, {"--data", folder / "lab.db"}};
    Agent agent{server};
    WholeJob whole{server, agent};

  private:
    void kill_in_time();
    void note_phase_logs(const std::string& job_id);
    void expect_no_secret_in(const std::vector<std::filesystem::path>& folders) const;
    void expect_output(const std::string& job_id, const std::string& phase);
    [[nodiscard]] std::string without_masks(const std::string& text);

    std::string mask_;                               ///< the one that all of a job's logs carry
    std::map<std::string, std::string> phase_logs_;  ///< what the killed agent had got of each phase
};

}  // namespace trebuchet::harness
