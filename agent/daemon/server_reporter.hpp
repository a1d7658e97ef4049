#pragma once

#include "agent/api/call_policy.hpp"
#include "agent/daemon/daemon_parts.hpp"
#include "agent/daemon/orders.hpp"
#include "agent/delivery/job_folder.hpp"
#include "agent/delivery/log_uploader.hpp"
#include "agent/job/job.hpp"
#include "agent/job/job_reporter.hpp"

#include <chrono>
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
    /// What happens is noted in the job's folder, where what can't be delivered stays. All of it must outlive this
    /// object.
    ServerReporter(const DaemonParts& parts, Orders& orders, JobFolder& folder);

    void job_taken(const Job& job) override;
    void job_resumed(const Job& job) override;
    void phase_entered(Phase phase) override;
    void phase_runs(Phase /*phase*/) override {}
    void process_starts(Phase phase, const std::string& marker) override;
    void process_started(const ProcessIdentity& supervisor) override;
    void output(Phase phase, const MaskedChunk& text) override;
    void serial(Phase phase, const MaskedChunk& text) override;
    [[nodiscard]] bool is_full() const override;
    void on_room(std::function<void()> handler) override;
    void wait_for_serial_room() override;
    void device_info(const MaskedJson& info) override;
    void phase_ran(Phase phase, const PhaseStatus& status) override;
    void event(std::string_view name, const MaskedChunk& detail) override;
    void stay_allocated() override;
    void provision_log(int exit_code, const MaskedChunk& detail) override;
    void recovery_failed(const std::string& comment) override;
    void artifacts(const std::filesystem::path& archive) override;
    void job_finished(const PhaseStatus& status, bool cancelled) override;
    [[nodiscard]] bool is_cancelled() override;
    void watch_for_cancel(std::function<void()> handler) override;
    void unwatch() override;
    void hurry() override;

    /// Called once the job's outcome is decided and durable, before the server is told.
    std::function<void()> on_decided = [] {};

    /// Nothing of the job is left to be delivered.
    [[nodiscard]] bool is_delivered() const;
    /// After job_finished: goes on trying as long as neither the server nor the disk takes all that is left, which then
    /// is in memory alone; until `is_stopping`.
    void hold_until_kept(const std::function<bool()>& is_stopping);

    /// Age of the oldest byte of log that the server has not confirmed.
    [[nodiscard]] std::chrono::steady_clock::duration upload_lag() const;

    /// Pieces of log that may be there twice.
    [[nodiscard]] unsigned doubtful_logs() const;

    /// Puts the job's attachments into a new file.
    [[nodiscard]] Result<void> fetch_attachments(const std::filesystem::path& file);

  private:
    /// Sends until it succeeds, as often as the call's policy has it; logs the last failure.
    bool insist(Call call, const std::string& what, const std::function<Result<void>()>& send);
    /// Waits for what was queued.
    void flush();
    void look_for_orders();
    void begin(const Job& job);
    void note_cancelled();
    [[nodiscard]] bool is_kept() const;
    void try_outcome_again();
    /// False as well if the server can't be asked.
    [[nodiscard]] bool is_over(const std::string& job_id);
    void wait(std::chrono::milliseconds time);
    void ask_after(std::chrono::milliseconds delay);
    void ask_whether_cancelled();

    const DaemonParts& parts_;
    Orders& orders_;
    JobFolder& folder_;

    const Job* job_ = nullptr;
    Spool output_spool_;
    Spool serial_spool_;
    std::unique_ptr<LogUploader> output_;
    std::unique_ptr<LogUploader> serial_;
    std::vector<JobEvent> events_;
    bool events_are_refused_ = false;
    bool hurried_ = false;
    std::uint64_t serial_to_skip_ = 0;  ///< bytes of the interrupted phase's serial log that the former agent spooled
    Timer cancel_timer_;
    Timer transfer_timer_;  ///< of what must not be waited for in a hurry
    std::function<void()> on_cancel_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< answers may come when we are gone
};

}  // namespace trebuchet
