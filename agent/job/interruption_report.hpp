#pragma once

#include "agent/job/interrupted_job.hpp"
#include "agent/job/phase_step.hpp"
#include "agent/job/run_folder.hpp"
#include "agent/job/running_job.hpp"

#include <optional>

namespace trebuchet {

/// Tells of a job that was in hand when the agent was interrupted: which phase was ended, or is left out, by that, and
/// what it left behind. Runs nothing.
class InterruptionReport {
  public:
    InterruptionReport(RunningJob& job, PhaseStep& phases, const InterruptedJob& interrupted)
        : job_(job), phases_(phases), interrupted_(interrupted) {}

    void run(RunFolder& folder);

  private:
    /// Deletes what can't be masked any more, with a note.
    void drop_unmasked(const RunFolder& folder);
    /// The phase that would have been next; nothing if the job was ending.
    [[nodiscard]] std::optional<Phase> next_phase() const;
    void report_phase(Phase phase, bool was_running, RunFolder& folder);

    RunningJob& job_;
    PhaseStep& phases_;
    const InterruptedJob& interrupted_;
};

}  // namespace trebuchet
