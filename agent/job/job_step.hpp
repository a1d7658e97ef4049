#pragma once

#include "common/fail_point/fail_point.hpp"

#include <array>
#include <string_view>

namespace trebuchet {

/// The steps of a job after which tests kill the agent, in the order in which a job with all features reaches them.
/// After each of them the agent's next start must recover the job.
inline constexpr std::array job_steps{
    std::string_view("agent introduces itself"),
    std::string_view("agent registered"),
    std::string_view("asking for a job"),
    std::string_view("job arrived"),
    std::string_view("job kept in memory"),
    std::string_view("job noted"),
    std::string_view("job parsed"),
    std::string_view("masks built"),
    std::string_view("job announced"),
    std::string_view("making the run folder"),
    std::string_view("run folder made"),
    std::string_view("attachments arrived"),
    std::string_view("attachments unpacked"),
    std::string_view("phase is next"),
    std::string_view("job state posted"),
    std::string_view("agent state posted"),
    std::string_view("event posted"),
    std::string_view("device info posted"),
    std::string_view("job file linked"),
    std::string_view("phase log opened"),
    std::string_view("starting the command"),
    std::string_view("command started"),
    std::string_view("output arrived"),
    std::string_view("output logged"),
    std::string_view("fragment built"),
    std::string_view("fragment durable"),
    std::string_view("fragment answered"),
    std::string_view("fragment confirmed"),
    std::string_view("command ended"),
    std::string_view("phase log complete"),
    std::string_view("job file hidden"),
    std::string_view("serial log queued"),
    std::string_view("exit code written"),
    std::string_view("log flushed"),
    std::string_view("exit codes posted"),
    std::string_view("provision log posted"),
    std::string_view("starting cleanup"),
    std::string_view("cleanup done"),
    std::string_view("leftovers ended"),
    std::string_view("packing artifacts"),
    std::string_view("artifacts packed"),
    std::string_view("artifacts posted"),
    std::string_view("run folder removed"),
    std::string_view("job ends"),
    std::string_view("outcome decided"),
    std::string_view("posting the outcome"),
    std::string_view("outcome posted"),
    std::string_view("job done"),
    std::string_view("job folder removed"),
    std::string_view("agent waits again"),
};

/// The same for the start after such a crash.
inline constexpr std::array recovery_steps{
    std::string_view("recovery begun"),
    std::string_view("left processes ended"),
    std::string_view("masks built again"),
};

/// Compiles only for a name in `job_steps` or `recovery_steps`.
class JobStep {
  public:
    consteval JobStep(const char* name) : name_(name) {  // NOLINT(*-explicit-*): it is one for reached("…")
        for (const auto known : job_steps) {
            if (known == name) return;
        }
        for (const auto known : recovery_steps) {
            if (known == name) return;
        }
        throw "no name out of job_steps or recovery_steps";
    }
    [[nodiscard]] constexpr const char* name() const { return name_; }

  private:
    const char* name_;
};

/// A fail point: the running job has reached this step.
inline void reached(JobStep step) noexcept {
    fail_point(step.name());
}

}  // namespace trebuchet
