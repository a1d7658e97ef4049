#pragma once

#include "agent/job/phase_status.hpp"

#include <chrono>
#include <filesystem>
#include <functional>

namespace trebuchet {

/// How long the end of a phase waits until each of the job's two logs is sent. The rest is sent later.
inline constexpr std::chrono::seconds log_upload_limit{60};

/// Controls the running job. Has every call for which the runner waits.
///
/// The agent has one word for each way of stopping:
///
///     stop       in good order: a phase gets SIGTERM and its grace, cleanup runs, failed calls are not retried
///     stop_now   without delay: commands are killed, nothing waits; the next start delivers what is left
///     cancel     somebody cancelled this job at the server; the agent goes on
///     interrupt  one phase is ended early, for whatever reason (Interruption)
///     give up    something is not retried any more, because it failed too often or for too long
class JobControl {
  public:
    virtual ~JobControl() = default;

    /// Asks whether somebody cancelled the job.
    [[nodiscard]] virtual bool is_cancelled() = 0;
    /// Calls `handler` once when somebody cancels the job; until `unwatch`.
    virtual void watch_for_cancel(std::function<void()> handler) = 0;
    virtual void unwatch() = 0;

    /// Posts that the device is allocated, then waits until this job or its parent is over, or until `stop`.
    virtual void wait_while_allocated() = 0;
    /// Waits until both logs are sent, at most log_upload_limit for each.
    virtual void wait_for_log_upload() = 0;
    /// Posts the exit codes so far; retries a few times.
    virtual void post_status(const PhaseStatus& status) = 0;
    /// Waits until the archive is sent, or stored to be sent later. May take hours; after `stop` only seconds.
    virtual void upload_artifacts(const std::filesystem::path& archive) = 0;
    /// Decides the job's outcome. Waits until the rest of the log and the outcome are sent, or stored to be sent later:
    /// at most twice log_upload_limit plus the tries of Call::post_outcome.
    virtual void deliver_outcome(const PhaseStatus& status, bool cancelled) = 0;

    /// The agent stops: retries no failed calls any more. Call this from a handler of the loop.
    virtual void stop() = 0;
    /// The agent stops now: waits for nothing any more. Call this from a handler of the loop.
    virtual void stop_now() = 0;
};

}  // namespace trebuchet
