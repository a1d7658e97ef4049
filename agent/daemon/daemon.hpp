#pragma once

#include "agent/api/job_server.hpp"
#include "agent/daemon/agent_posts.hpp"
#include "agent/daemon/daemon_parts.hpp"
#include "agent/daemon/host_maintenance.hpp"
#include "agent/daemon/job_session.hpp"
#include "agent/daemon/orders.hpp"
#include "agent/delivery/undelivered_results.hpp"

#include <atomic>
#include <optional>

namespace trebuchet {

/// How the daemon ended.
enum class DaemonEnd {
    stopped,  ///< as requested
    restart,  ///< the service manager should start it again
    reload,   ///< continue with a newly read configuration
};

/// Polls for jobs and runs them, one at a time:
///
///     start: end the jobs that a killed agent left → keep offline and maintenance, else waiting → register → advertise
///     each polling_interval: read own state → (offline, maintenance: nothing) | (restart: end) | (the host asks for
///     maintenance: nothing) | take a job, run it, again; meanwhile, deliver what could not be delivered
class Daemon {
  public:
    explicit Daemon(DaemonParts parts);

    /// Runs until one of the calls below, or an administrator, ends it.
    DaemonEnd run();

    // Call these from handlers of the loop:

    /// Takes no more jobs and ends after the running one. As `trebuchet.drain` says, the job's phase is ended after
    /// `trebuchet.stop_grace`, or may finish. Cleanup runs. A second call is stop_now.
    void stop();
    /// Ends without delay: kills what runs, skips cleanup, keeps the outcome for the next start.
    void stop_now();
    /// Ends when no job is running, to be started again.
    void restart_when_idle();
    /// Ends when no job is running, to continue with another configuration.
    void reload_when_idle();

  private:
    /// Whether to take jobs now.
    enum class Posture { work, stay_away };

    void introduce();
    Posture ask_for_orders();
    /// Takes and runs jobs until there are none. False: the server could not be asked.
    bool work();
    /// True if a guard keeps the agent from taking jobs. Reports that in the log, the comment, the metrics and the
    /// status.
    [[nodiscard]] bool is_held_back();
    /// After a job: obeys an order that came meanwhile, else posts that the agent waits. Returns whether it may poll
    /// without asking for orders again.
    bool job_ended(const SessionEnd& job);
    /// The device is unusable: takes the agent offline until somebody has repaired it.
    void device_is_lost(const std::string& comment);
    void obey_standing_order(std::optional<std::string> job_id = std::nullopt);
    /// The order of the server, or else of this host, which may have set the comment at the server before. Sets the
    /// record's comment to that order's.
    [[nodiscard]] Order with_host_order(Order by_server, AgentRecord& found);
    Posture obey(Order order, const std::string& comment, std::optional<std::string> job_id = std::nullopt);
    /// The job that the server's record names, if the server gave it to us but the answer was lost, so we do not know
    /// it.
    [[nodiscard]] Result<std::optional<std::string>> lost_job() const;
    /// In the metrics and in the status of the host.
    void show_state() const;
    void post_state(std::string_view state, std::string_view comment, std::optional<std::string> job_id = std::nullopt);
    [[nodiscard]] std::vector<std::string> queues_to_poll() const;
    void advertise_if_due();
    void sleep(std::chrono::milliseconds time);
    [[nodiscard]] bool is_wanted_elsewhere() const {
        return stopping_ || reload_wanted_ || host_.has_news() || orders_.standing();
    }

    DaemonParts parts_;
    UndeliveredResults undelivered_;
    Orders orders_;
    DeviceHealth health_;
    HostMaintenance host_;
    AgentPosts posts_;
    JobSession session_;
    AgentRecord record_;
    bool introduced_ = false;
    bool has_idle_memory_ = false;  ///< a job, or compiling new masks, has freed memory that the kernel may have back
    std::optional<std::chrono::steady_clock::time_point> advertised_at_;
    std::optional<std::chrono::system_clock::time_point> state_posted_at_;
    bool stopping_ = false;
    std::atomic<bool> stopping_now_{false};
    bool reload_wanted_ = false;
    std::optional<HeldBack> held_back_;  ///< as when it began
    std::optional<DaemonEnd> end_;
};

}  // namespace trebuchet
