#pragma once

#include "agent/api/call_policy.hpp"
#include "agent/daemon/agent_posts.hpp"
#include "agent/daemon/cancel_watch.hpp"
#include "agent/daemon/daemon_parts.hpp"
#include "agent/daemon/server_log.hpp"
#include "agent/delivery/job_folder.hpp"
#include "agent/job/job.hpp"
#include "agent/job/job_control.hpp"
#include "agent/job/job_listener.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// Reports a job to the server, in the reference agent's order, and controls the job by the server's answers. Posts
/// that replace an earlier value (status, states) are retried a few times. Events and provision logs are sent once,
/// because they cannot be read back.
///
/// These wait for each other: a phase's log, its exit code, the question whether the job is cancelled, the next job
/// state, the next command. The exit code is posted together with that job state, unless an event, a command or an
/// upload comes first. Nothing waits for AgentPosts.
class ServerReporter final : public JobListener, public JobControl {
  public:
    /// Records progress in the job's folder, which also keeps what cannot be delivered. `masks`: for the agent's own
    /// texts about the job. Calls `on_decided` when the job's outcome is decided and durable, before telling the
    /// server. All arguments must outlive this object.
    ServerReporter(
        const DaemonParts& parts, AgentPosts& posts, JobFolder& folder, std::shared_ptr<const MaskSet> masks,
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
    void device_in_doubt(const MaskedChunk& comment) override { recovery_failed(std::string(comment.bytes())); }

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

    /// True if nothing of the job is left to deliver.
    [[nodiscard]] bool is_delivered() const;
    /// Call this after deliver_outcome. While data is left that is neither sent nor on disk, retries both; gives up
    /// when `is_stopping` is true.
    void hold_until_kept(const std::function<bool()>& is_stopping);

    /// Downloads the job's attachments into a new file. If the job is cancelled, it stops.
    [[nodiscard]] Result<void> fetch_attachments(const std::filesystem::path& file);

  private:
    /// Tries `send` until it succeeds, as often as the call's policy allows. Logs each failure. Returns the last
    /// result.
    Result<void> with_retries(Call call, const std::string& what, const std::function<Result<void>()>& send);
    /// The same for Call::post_progress. True if it succeeded.
    bool post_with_retries(const std::string& what, const std::function<Result<void>()>& post);
    /// From now on, no wait takes longer than `limit`. Later calls can only shorten it.
    void limit_waits(std::chrono::milliseconds limit);
    [[nodiscard]] bool agent_stops() const { return log_.wait_limit().has_value(); }
    /// Posts the exit codes that were waiting for another post.
    void post_waiting_status();
    void note_cancelled();
    /// Asks for the job's state in the background; is_cancelled(), which comes next, uses the answer.
    void ask_for_state_ahead();
    /// The answer to that, if it is recent.
    [[nodiscard]] std::optional<JobState> state_asked_ahead();
    /// The job's state at the server; also `unknown` if the request fails.
    [[nodiscard]] JobState shown_state();
    /// True if this or another job has a final state; false if the request fails.
    [[nodiscard]] bool is_over(const std::string& job_id);
    [[nodiscard]] bool is_kept() const;
    void try_outcome_again();
    /// Logs that the server refuses it for good.
    void give_up(const std::string& what, const Error& reason) const;

    const DaemonParts& parts_;
    AgentPosts& posts_;
    JobFolder& folder_;
    std::shared_ptr<const MaskSet> masks_;
    std::function<void()> on_decided_;

    const Job* job_ = nullptr;
    ServerLog log_;
    CancelWatch cancel_watch_;
    std::vector<JobEvent> events_;
    bool events_are_refused_ = false;
    std::optional<PhaseStatus> waiting_status_;  ///< of ended phases, not posted yet
    /// The job was taken just now, so nobody can have cancelled it yet.
    bool is_just_taken_ = false;
    struct AheadAnswer {
        std::chrono::steady_clock::time_point asked_at;
        std::optional<Result<JobState>> state{};
    };
    std::shared_ptr<AheadAnswer> asked_ahead_;
    Timer transfer_timer_;  ///< aborts transfers when the agent stops
};

}  // namespace trebuchet
