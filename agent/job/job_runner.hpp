#pragma once

#include "agent/job/artifact_step.hpp"
#include "agent/job/attachment_step.hpp"
#include "agent/job/interrupted_job.hpp"
#include "agent/job/interruption_report.hpp"
#include "agent/job/phase_step.hpp"
#include "agent/job/run_folder.hpp"
#include "agent/job/running_job.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// The agent's comment while it is offline after exit code 46. Users search for this text.
[[nodiscard]] std::string recovery_failed_comment(const std::string& job_id);

/// The same after a failed cleanup with `trebuchet.cleanup_failure: offline`, and while processes of the job survive.
[[nodiscard]] std::string cleanup_failed_comment(const std::string& job_id);
[[nodiscard]] std::string survivors_comment(const std::string& job_id, const std::vector<Survivor>& survivors);

/// Runs one job from its first phase to its outcome:
///
///     setup … reserve, each: entered → (skipped | command → status) → success or fail
///       │ a failure (except of test), a cancellation or the agent's stop skips the rest
///     cleanup (always) → artifacts → the run folder is deleted → finished
///
/// Use it on the loop's thread; `run` returns when everything is done.
class JobRunner {
  public:
    explicit JobRunner(JobParts parts);

    JobOutcome run();

    /// Use this instead of run() for a job that was running when the agent was interrupted. Reports its phase as ended
    /// by the agent, runs cleanup, and sends what is left. Runs no other phase. The job's processes must have ended.
    JobOutcome resume(const InterruptedJob& interrupted);

    /// The agent stops: ends the running phase and skips the others except cleanup. Call this from a handler of the
    /// loop.
    void stop();

    /// The agent stops now: kills what runs and skips the rest, including cleanup. Call this from a handler of the
    /// loop.
    void stop_now();

  private:
    [[nodiscard]] std::optional<ProcessUser> ids_of_phase_user() const;
    /// Fetches attachments and runs the phases.
    void run_in(RunFolder& folder);
    /// An Error: a grant refuses the job.
    [[nodiscard]] Result<void> check_grants();
    /// An Error: the job has the tag TREBUCHET_NO_SECRETS, and there are some for it. May run git.
    [[nodiscard]] Result<void> check_wants_no_secrets();
    void run_main_phases(RunFolder& folder);
    /// Returns whether the job continues with the next phase.
    [[nodiscard]] bool end_main_phase(Phase phase, const std::optional<PhaseEnd>& end, RunFolder& folder);
    void report_interruption(const Interruption& interruption);
    /// The agent was told to stop before this phase.
    void report_skipped_by_stop(Phase phase);
    void run_cleanup(RunFolder& folder);
    void cleanup_failed();
    /// Call this after the last event.
    JobOutcome finish(Result<RunFolder>& folder);
    void remove_rest(Result<RunFolder>& folder);

    RunningJob job_;
    PhaseStep phases_;
    AttachmentStep attachments_;
    ArtifactStep artifacts_;
    bool stop_ended_a_phase_ = false;
    bool stopping_now_ = false;
    Timer removal_timer_;
    std::atomic<bool> stop_removing_{false};
};

}  // namespace trebuchet
