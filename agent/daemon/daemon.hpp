#pragma once

#include "agent/config/config.hpp"
#include "agent/pipeline/job_runner.hpp"
#include "agent/server/job_server.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace trebuchet {

/// How the daemon ended, as its exit code says it.
enum class DaemonEnd {
    stopped = 0,  ///< as asked to
    restart = 1,  ///< non-zero, since supervisord restarts only then by default
};

/// Polls for jobs and runs them, one at a time:
///
///     start: keep offline and maintenance, else waiting → register → advertise
///     each polling_interval: read own state → (offline, maintenance: nothing) | (restart: end) | take a job, run it,
///     again
class Daemon {
  public:
    Daemon(EventLoop& loop, const Clock& clock, const Config& config, JobServer& server, std::function<double()> draw);

    /// Runs until `stop` was called, or an administrator asked for a restart.
    DaemonEnd run(const std::filesystem::path& secret_base);

    /// Ends the job in hand, cleanup included, and then the daemon. From a handler of the loop.
    void stop();

  private:
    /// What to do after asking the server for our state.
    enum class Orders { work, stay_away };

    void introduce();
    Orders ask_for_orders();
    /// Takes jobs and runs them until there is none. False: the server could not be asked.
    bool work(const std::filesystem::path& secret_base);
    void run_job(WipedString document, const std::filesystem::path& secret_base);
    void report_unreadable(const WipedString& document, const Error& reason);
    /// After a job: what an administrator ordered meanwhile, else to wait for the next one.
    void obey(const std::optional<AgentRecord>& orders);
    void post_state(std::string_view state, std::string_view comment);
    [[nodiscard]] std::vector<std::string> queues_to_poll() const;
    void advertise_if_due();
    void sleep(std::chrono::milliseconds time);

    EventLoop& loop_;
    const Clock& clock_;
    const Config& config_;
    JobServer& server_;
    std::function<double()> draw_;

    AgentRecord record_;
    bool introduced_ = false;
    std::optional<std::chrono::steady_clock::time_point> advertised_at_;
    JobRunner* running_ = nullptr;
    bool stopping_ = false;
};

}  // namespace trebuchet
