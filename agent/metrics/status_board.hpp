#pragma once

#include "agent/job/job_listener.hpp"
#include "agent/job/log_sink.hpp"
#include "agent/metrics/agent_status.hpp"
#include "common/base/clock.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// One phase of the running or last job.
struct PhaseRun {
    Phase phase = Phase::setup;
    AgentStatus::Time began{};
    std::optional<AgentStatus::Time> ended{};  ///< nullopt: it runs
    int exit_code = 0;
};

/// Collects what the agent is doing. Use it on the loop's thread.
class StatusBoard final : public JobListener {
  public:
    /// Whether to show a change at once. What may change often is shown a little later.
    enum class Change { now, soon };

    explicit StatusBoard(const Clock& clock) : clock_(clock) {}

    /// Who the agent is: the fields up to `start_time`. The state is kept.
    void begin(AgentStatus identity);
    void state_is(std::string_view state, const MaskedChunk& comment);
    void error(const MaskedChunk& text);
    /// Bytes of results that wait for the server.
    void undelivered(std::uint64_t bytes);
    void output_came();

    void job_taken(const Job& job) override;
    void job_resumed(const Job& job) override { job_taken(job); }
    void phase_runs(Phase phase) override;
    void phase_ran(Phase phase, const PhaseStatus& status) override;
    void job_finished(const PhaseStatus& status, bool cancelled) override;

    /// Calls `handler` after each change; null: nobody.
    void on_change(std::function<void(Change)> handler) { on_change_ = std::move(handler); }
    /// Since the running job began its phase or wrote; 0: none runs.
    [[nodiscard]] std::chrono::system_clock::duration quiet_time() const;
    [[nodiscard]] const AgentStatus& status() const { return status_; }
    /// Of the running or last job, in their order.
    [[nodiscard]] const std::vector<PhaseRun>& phases() const { return phases_; }

  private:
    void changed(Change change = Change::now) const;

    const Clock& clock_;
    AgentStatus status_{};
    std::vector<PhaseRun> phases_;
    std::function<void(Change)> on_change_;
};

/// Passes a job's log on to another sink, and notes on the board when text comes.
class WatchedLog final : public LogSink {
  public:
    WatchedLog(LogSink& inner, StatusBoard& board) : inner_(inner), board_(board) {}

    void output(Phase phase, const MaskedChunk& text) override;
    void serial(Phase phase, const MaskedChunk& text) override { inner_.serial(phase, text); }
    [[nodiscard]] bool is_full() const override { return inner_.is_full(); }
    void on_room(std::function<void()> handler) override { inner_.on_room(std::move(handler)); }
    [[nodiscard]] bool is_serial_full() const override { return inner_.is_serial_full(); }
    void wait_for_serial_room() override { inner_.wait_for_serial_room(); }

  private:
    LogSink& inner_;
    StatusBoard& board_;
};

}  // namespace trebuchet
