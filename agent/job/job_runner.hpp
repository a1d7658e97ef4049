#pragma once

#include "agent/job/artifact_step.hpp"
#include "agent/job/attachment_step.hpp"
#include "agent/job/interrupted_job.hpp"
#include "agent/job/interruption_report.hpp"
#include "agent/job/phase_step.hpp"
#include "agent/job/run_folder.hpp"
#include "agent/job/running_job.hpp"

#include <optional>
#include <string>

namespace trebuchet {

/// Why the agent is offline after a phase exited with 46; users search for this text.
[[nodiscard]] std::string recovery_failed_comment(const std::string& job_id);

/// Runs one job from its first phase to its outcome:
///
///     setup … reserve, each: entered → (skipped | command → status) → success or fail
///       │ a failure (but of test), a cancellation or the agent's stop leaves the row
///     cleanup (always) → artifacts → the run folder is deleted → finished
///
/// On the loop's thread; `run` returns when all is done.
class JobRunner {
  public:
    explicit JobRunner(JobParts parts);

    JobOutcome run();

    /// Ends a job that was in hand when the agent was interrupted, in place of `run`: its phase is reported as ended by
    /// the agent, cleanup runs, what is left is sent. Nothing else is run (again). None of its processes may be left.
    JobOutcome resume(const InterruptedJob& interrupted);

    /// The agent is to stop: the phase that runs is ended, the others but cleanup are skipped. From a handler of the
    /// loop.
    void stop();

    /// The agent is to stop now: what runs is killed, the rest, cleanup included, is skipped. From a handler of the
    /// loop.
    void stop_now();

  private:
    /// Fetches attachments, walks the phases.
    void run_in(RunFolder& folder);
    void run_main_phases(RunFolder& folder);
    /// Whether the job goes on with the next phase.
    [[nodiscard]] bool end_main_phase(Phase phase, const std::optional<PhaseEnd>& end, RunFolder& folder);
    void report_interruption(const Interruption& interruption);
    /// The agent's stop came before this phase.
    void report_skipped_by_stop(Phase phase);
    void run_cleanup(RunFolder& folder);
    /// After the last event.
    JobOutcome finish(Result<RunFolder>& folder);

    RunningJob job_;
    PhaseStep phases_;
    AttachmentStep attachments_;
    ArtifactStep artifacts_;
    bool stop_ended_a_phase_ = false;
    bool stopping_now_ = false;
};

}  // namespace trebuchet
