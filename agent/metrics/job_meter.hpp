#pragma once

#include "agent/job/job_listener.hpp"
#include "agent/job/log_sink.hpp"
#include "agent/metrics/agent_metrics.hpp"
#include "common/base/clock.hpp"

#include <chrono>
#include <functional>
#include <optional>

namespace trebuchet {

/// Counts a job's phases, their time and failures.
class JobMeter final : public JobListener {
  public:
    JobMeter(AgentMetrics& metrics, const Clock& clock) : metrics_(metrics), clock_(clock) {}

    void job_taken(const Job& job) override;
    void phase_entered(Phase phase) override;
    void phase_runs(Phase phase) override;
    void phase_ran(Phase phase, const PhaseStatus& status) override;
    void secrets_masked(const MaskReport& report) override;
    void secret_access(const SecretAccess& access) override;
    void recovery_failed(const std::string& comment) override;
    void cpu_used(Phase phase, std::chrono::microseconds time) override;

    /// Of the job so far; 0 where it has no cgroup.
    [[nodiscard]] std::chrono::microseconds cpu_time() const { return cpu_time_; }

  private:
    AgentMetrics& metrics_;
    const Clock& clock_;
    std::chrono::microseconds cpu_time_{0};
    std::optional<std::chrono::steady_clock::time_point> began_;  ///< start of the running phase's command
};

/// Passes a job's log on to another sink, and counts its bytes.
class MeteredLog final : public LogSink {
  public:
    MeteredLog(LogSink& inner, AgentMetrics& metrics) : inner_(inner), metrics_(metrics) {}

    void output(Phase phase, const MaskedChunk& text) override;
    void serial(Phase phase, const MaskedChunk& text) override;
    [[nodiscard]] bool is_full() const override { return inner_.is_full(); }
    void on_room(std::function<void()> handler) override { inner_.on_room(std::move(handler)); }
    [[nodiscard]] bool is_serial_full() const override { return inner_.is_serial_full(); }
    void wait_for_serial_room() override { inner_.wait_for_serial_room(); }

  private:
    LogSink& inner_;
    AgentMetrics& metrics_;
};

}  // namespace trebuchet
