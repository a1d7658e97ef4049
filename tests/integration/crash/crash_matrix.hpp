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

/// What happens to the server.
enum class Outage {
    none,
    between,  ///< killed and restarted while the agent is down
    after,    ///< killed while the agent is down, restarted after the agent
    before,   ///< killed before the agent, restarted after it; only for kills by time
};

/// How the agent is killed while it runs a WholeJob, and what the server does meanwhile.
struct Crash {
    std::string name;
    std::string point;                  ///< fail point (common/fail_point); "": killed by time
    std::chrono::milliseconds after{};  ///< time since the job was taken
    std::string recovery_point{};       ///< where the restarted agent is killed too; "": nowhere
    std::vector<Json> faults{};         ///< faults of the server from the start
    Outage outage = Outage::none;

    friend void PrintTo(const Crash& shown, std::ostream* out) { *out << shown.name; }
};

/// A kill at every `each`-th step of a job, each with other faults of the server.
[[nodiscard]] std::vector<Crash> crashes_at_steps(std::size_t each);
/// Kills at `count` random times, each with other faults of the server.
[[nodiscard]] std::vector<Crash> crashes_at_random(std::size_t count);
/// A kill at every `each`-th step of the recovery that follows a first kill.
[[nodiscard]] std::vector<Crash> crashes_of_recovery(std::size_t each);

[[nodiscard]] std::string name_of_crash(const ::testing::TestParamInfo<Crash>& instance);

class CrashMatrix : public ::testing::TestWithParam<Crash> {
  protected:
    CrashMatrix();

    /// Kills the agent as the parameter says, and restarts it.
    void crash(const std::string& job_id);
    /// Expects that the agent kept every promise for this job.
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

    std::string mask_;                               ///< the mask that all logs of a job contain
    std::map<std::string, std::string> phase_logs_;  ///< what the killed agent had read from each phase
};

}  // namespace trebuchet::harness
