#pragma once

#include "agent/api/job_server.hpp"
#include "agent/config/config.hpp"
#include "agent/delivery/job_folder.hpp"
#include "agent/delivery/log_uploader.hpp"
#include "agent/delivery/reference_result.hpp"
#include "agent/job/own_secrets.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"
#include "common/event/worker.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace trebuchet {

/// One attempt to deliver what is left of one job. Runs in the background, on the loop:
///
///     logs → artifacts (packed first, if the reference agent left them) → outcome → done
///
/// The journal records each finished step, and the next attempt continues from there. If the server refuses something
/// for good, the step is given up with an error in the log.
class Delivery {
  public:
    struct Parts {
        EventLoop& loop;
        const Clock& clock;
        const Config& config;
        JobServer& server;
        std::function<double()> draw;
        std::shared_ptr<OwnSecrets> own_secrets = std::make_shared<OwnSecrets>();
        /// Time since this machine was booted, including sleep. Unlike the wall clock, nobody can set it.
        std::function<std::chrono::milliseconds()> uptime = since_boot;
    };
    [[nodiscard]] static std::chrono::milliseconds since_boot();

    /// The loop calls `done` once; it may destroy this object.
    Delivery(const Parts& parts, std::unique_ptr<JobFolder> folder, std::function<void(Result<void>)> done);
    Delivery(const Parts& parts, ReferenceResult result, std::function<void(Result<void>)> done);
    ~Delivery();
    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;

    void start();
    [[nodiscard]] const std::string& job_id() const { return job_id_; }
    /// Deletes the job's data on disk. Call it when everything is delivered or given up.
    void remove();

  private:
    struct Series;

    void send_logs();
    void pack_artifacts();
    void send_artifacts();
    void send_outcome();
    void finish(const Result<void>& result);
    /// Logs that `what` will never be delivered.
    void give_up(const std::string& what, const Error& reason) const;
    /// Wraps the handler of an answer so that it is not called after this object is destroyed.
    template <typename... Arguments>
    auto guarded(void (Delivery::*handler)(Arguments...));
    void artifacts_packed(const Result<void>& packed);
    void artifacts_posted(Result<void> posted);
    void state_read(Result<JobState> state);
    void outcome_posted(Result<void> posted);

    Parts parts_;
    std::string job_id_;
    std::unique_ptr<JobFolder> folder_;
    std::optional<ReferenceResult> reference_;
    std::function<void(Result<void>)> done_;
    std::unique_ptr<Series> output_;
    std::unique_ptr<Series> serial_;
    Timer limit_;
    std::atomic<bool> stop_{false};  ///< read by the thread that packs
    Worker worker_;
    PhaseStatus status_;
    JobState state_ = JobState::complete;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace trebuchet
