#pragma once

#include "agent/config/config.hpp"
#include "agent/pipeline/job_reporter.hpp"
#include "agent/server/job_server.hpp"
#include "agent/upload/log_uploader.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// Reports a job to the server, in the order in which the reference agent does. Posts that replace their former selves
/// (status, states) are tried again a few times; events and provision logs are sent once, since nobody can read them
/// back.
class ServerReporter final : public JobReporter {
  public:
    ServerReporter(EventLoop& loop, const Clock& clock, const Config& config, JobServer& server,
                   std::function<double()> draw);

    void job_taken(const Job& job) override;
    void phase_entered(Phase phase) override;
    void phase_runs(Phase /*phase*/) override {}
    void output(Phase phase, const MaskedChunk& text) override;
    void serial(Phase phase, const MaskedChunk& text) override;
    [[nodiscard]] bool is_full() const override;
    void on_room(std::function<void()> handler) override;
    void flush() override;
    void device_info(const MaskedJson& info) override;
    void phase_ran(Phase phase, const PhaseStatus& status) override;
    void event(std::string_view name, const MaskedChunk& detail) override;
    void provision_log(int exit_code, const MaskedChunk& detail) override;
    void recovery_failed(const std::string& comment) override;
    void artifacts(const std::filesystem::path& archive) override;
    void job_finished(const PhaseStatus& status, bool cancelled) override;
    [[nodiscard]] bool is_cancelled() override;
    void watch_for_cancel(std::function<void()> handler) override;
    void unwatch() override;
    void hurry() override { hurried_ = true; }

    /// The state, if any, into which an administrator put this agent while the job ran: offline, maintenance or
    /// restart. It is obeyed when the job is done.
    [[nodiscard]] const std::optional<AgentRecord>& orders() const { return orders_; }

  private:
    /// Calls until it succeeds, at most `tries` times, with growing waits between; logs the last failure.
    bool insist(int tries, const std::string& what, const std::function<Result<void>()>& call);
    void look_for_orders();
    void wait(std::chrono::milliseconds time);
    void ask_after(std::chrono::milliseconds delay);
    void ask_whether_cancelled();

    EventLoop& loop_;
    const Clock& clock_;
    const Config& config_;
    JobServer& server_;
    std::function<double()> draw_;

    std::string job_id_;
    std::string queue_;
    std::string webhook_;
    std::unique_ptr<LogUploader> output_;
    std::unique_ptr<LogUploader> serial_;
    std::vector<JobEvent> events_;
    bool events_are_refused_ = false;
    bool hurried_ = false;
    std::optional<AgentRecord> orders_;
    Timer cancel_timer_;
    std::function<void()> on_cancel_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< answers may come when we are gone
};

}  // namespace trebuchet
