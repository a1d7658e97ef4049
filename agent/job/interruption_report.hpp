#pragma once

#include "agent/job/interrupted_job.hpp"
#include "agent/job/phase_step.hpp"
#include "agent/job/run_folder.hpp"
#include "agent/job/running_job.hpp"

#include <optional>

namespace trebuchet {

/// Reports a job that was running when the agent was interrupted: the phase that was ended or is skipped because of
/// that, and the files that it left. Runs no command.
class InterruptionReport {
  public:
    InterruptionReport(RunningJob& job, PhaseStep& phases, const InterruptedJob& interrupted)
        : job_(job), phases_(phases), interrupted_(interrupted) {}

    void run(RunFolder& folder);

  private:
    /// Deletes files that can no longer be masked, and says so in the job's log.
    void drop_unmasked(const RunFolder& folder);
    /// The phase that would have come next; nothing if the job was ending.
    [[nodiscard]] std::optional<Phase> next_phase() const;
    void report_phase(Phase phase, bool was_running, RunFolder& folder);

    RunningJob& job_;
    PhaseStep& phases_;
    const InterruptedJob& interrupted_;
};

}  // namespace trebuchet
