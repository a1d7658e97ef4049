#pragma once

#include "agent/api/call_policy.hpp"
#include "agent/daemon/cancel_watch.hpp"
#include "agent/daemon/daemon_parts.hpp"
#include "agent/daemon/orders.hpp"
#include "agent/daemon/server_log.hpp"
#include "agent/delivery/job_folder.hpp"
#include "agent/job/job.hpp"
#include "agent/job/job_control.hpp"
#include "agent/job/job_listener.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace trebuchet {

/// Reports a job to the server, in the order in which the reference agent does, and steers it by what the server says.
/// Posts that replace their former selves (status, states) are tried a few times; events and provision logs are sent
/// once, since nobody can read them back.
class ServerReporter final : public JobListener, public JobControl {
  public:
    /// What happens is noted in the job's folder, where what can't be delivered stays. `masks`: for what we say of the
    /// job ourselves. `on_decided` is called once the job's outcome is decided and durable, before the server is told.
    /// All of it must outlive this object.
    ServerReporter(
        const DaemonParts& parts, Orders& orders, JobFolder& folder, std::shared_ptr<const MaskSet> masks,
        std::function<void()> on_decided = [] {});

    void job_taken(const Job& job) override;
    void job_resumed(const Job& job) override;
    void phase_entered(Phase phase) override;
    void process_starts(Phase phase, const std::string& marker) override;
    void process_started(const ProcessIdentity& supervisor) override;
    void device_info(const MaskedJson& info) override;
    void phase_ran(Phase phase, const PhaseStatus& status) override;
    void event(std::string_view name, const MaskedChunk& detail) override;
    void provision_log(int exit_code, const MaskedChunk& detail) override;
    void recovery_failed(const std::string& comment) override;

    [[nodiscard]] bool is_cancelled() override;
    void watch_for_cancel(std::function<void()> handler) override;
    void unwatch() override;
    void wait_while_allocated() override;
    void wait_for_log_upload() override;
    void post_status(const PhaseStatus& status) override;
    void upload_artifacts(const std::filesystem::path& archive) override;
    void deliver_outcome(const PhaseStatus& status, bool cancelled) override;
    void stop() override;
    void stop_now() override;

    /// Where the job's output goes.
    [[nodiscard]] ServerLog& log() { return log_; }

    /// Nothing of the job is left to be delivered.
    [[nodiscard]] bool is_delivered() const;
    /// After deliver_outcome: goes on trying as long as neither the server nor the disk takes all that is left, which
    /// then is in memory alone; until `is_stopping`.
    void hold_until_kept(const std::function<bool()>& is_stopping);

    /// Puts the job's attachments into a new file; a cancelled job's are not fetched.
    [[nodiscard]] Result<void> fetch_attachments(const std::filesystem::path& file);

  private:
    /// Tries until it succeeds, as often as the call's policy allows; logs each failure.
    bool with_retries(Call call, const std::string& what, const std::function<Result<void>()>& send);
    /// The same for Call::post_progress, and no try begins after progress_limit.
    bool post_with_retries(const std::string& what, const std::function<Result<void>()>& post);
    /// Nothing is waited for any longer than that.
    void limit_waits(std::chrono::milliseconds limit);
    void look_for_orders();
    void note_cancelled();
    /// Of the job, as the server shows it now; unknown as well if it can't be asked.
    [[nodiscard]] JobState shown_state();
    /// Whether another job, or this one, has a final state; false as well if the server can't be asked.
    [[nodiscard]] bool is_over(const std::string& job_id);
    [[nodiscard]] bool is_kept() const;
    void try_outcome_again();

    const DaemonParts& parts_;
    Orders& orders_;
    JobFolder& folder_;
    std::shared_ptr<const MaskSet> masks_;
    std::function<void()> on_decided_;

    const Job* job_ = nullptr;
    ServerLog log_;
    CancelWatch cancel_watch_;
    std::vector<JobEvent> events_;
    bool events_are_refused_ = false;
    bool stopping_ = false;
    Timer transfer_timer_;  ///< of what must not be waited for while the agent stops
};

}  // namespace trebuchet
