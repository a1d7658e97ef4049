#pragma once

#include "agent/metrics/agent_metrics.hpp"
#include "agent/pipeline/job_reporter.hpp"
#include "common/base/clock.hpp"

#include <chrono>
#include <optional>

namespace trebuchet {

/// Passes everything on, and counts phases, their time and failures, and bytes.
class MeteredReporter final : public JobReporter {
  public:
    MeteredReporter(JobReporter& inner, AgentMetrics& metrics, const Clock& clock)
        : inner_(inner), metrics_(metrics), clock_(clock) {}

    void job_taken(const Job& job) override;
    void phase_entered(Phase phase) override;
    void phase_runs(Phase phase) override;
    void output(Phase phase, const MaskedChunk& text) override;
    void serial(Phase phase, const MaskedChunk& text) override;
    [[nodiscard]] bool is_full() const override { return inner_.is_full(); }
    void on_room(std::function<void()> handler) override { inner_.on_room(std::move(handler)); }
    void flush() override { inner_.flush(); }
    void device_info(const MaskedJson& info) override { inner_.device_info(info); }
    void phase_ran(Phase phase, const PhaseStatus& status) override;
    void event(std::string_view name, const MaskedChunk& detail) override { inner_.event(name, detail); }
    void provision_log(int exit_code, const MaskedChunk& detail) override { inner_.provision_log(exit_code, detail); }
    void recovery_failed(const std::string& comment) override;
    void artifacts(const std::filesystem::path& archive) override { inner_.artifacts(archive); }
    void job_finished(const PhaseStatus& status, bool cancelled) override { inner_.job_finished(status, cancelled); }
    [[nodiscard]] bool is_cancelled() override { return inner_.is_cancelled(); }
    void watch_for_cancel(std::function<void()> handler) override { inner_.watch_for_cancel(std::move(handler)); }
    void unwatch() override { inner_.unwatch(); }
    void stay_allocated() override { inner_.stay_allocated(); }
    void hurry() override { inner_.hurry(); }

  private:
    JobReporter& inner_;
    AgentMetrics& metrics_;
    const Clock& clock_;
    std::optional<std::chrono::steady_clock::time_point> began_;  ///< the phase whose command runs
};

}  // namespace trebuchet
