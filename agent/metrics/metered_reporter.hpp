#pragma once

#include "agent/job/forwarding_reporter.hpp"
#include "agent/metrics/agent_metrics.hpp"
#include "common/base/clock.hpp"

#include <chrono>
#include <optional>

namespace trebuchet {

/// Passes everything on, and counts phases, their time and failures, and bytes.
class MeteredReporter final : public ForwardingReporter {
  public:
    MeteredReporter(JobReporter& inner, AgentMetrics& metrics, const Clock& clock)
        : ForwardingReporter(inner), metrics_(metrics), clock_(clock) {}

    void job_taken(const Job& job) override;
    void phase_entered(Phase phase) override;
    void phase_runs(Phase phase) override;
    void output(Phase phase, const MaskedChunk& text) override;
    void serial(Phase phase, const MaskedChunk& text) override;
    void phase_ran(Phase phase, const PhaseStatus& status) override;
    void secrets_masked(const LeakReport& report) override;
    void recovery_failed(const std::string& comment) override;

  private:
    AgentMetrics& metrics_;
    const Clock& clock_;
    std::optional<std::chrono::steady_clock::time_point> began_;  ///< the phase whose command runs
};

}  // namespace trebuchet
