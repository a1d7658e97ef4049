#pragma once

#include "agent/api/job_server.hpp"
#include "agent/job/job.hpp"
#include "common/process/process_identity.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace trebuchet {

class LeakReport;

/// Who is told of the job in hand: the server, or a person's terminal. What is reported is masked already. Calls block,
/// bounded, and swallow what fails after logging it: a job goes on without its server. `output` and `serial` only
/// queue.
class JobReporter {
  public:
    virtual ~JobReporter() = default;

    virtual void job_taken(const Job& job) = 0;
    /// The same for a job that was in hand when the agent was interrupted.
    virtual void job_resumed(const Job& job) = 0;
    /// The phase is next, whether it has a command to run or not. Not told of cleanup.
    virtual void phase_entered(Phase phase) = 0;
    /// Its command is about to run.
    virtual void phase_runs(Phase phase) = 0;
    /// All of the phase's processes will carry this NAME=VALUE in their environment.
    virtual void process_starts(Phase phase, const std::string& marker) = 0;
    virtual void process_started(const ProcessIdentity& supervisor) = 0;

    virtual void output(Phase phase, const MaskedChunk& text) = 0;
    virtual void serial(Phase phase, const MaskedChunk& text) = 0;
    /// Too much is queued: the phase should be held until the handler of `on_room` is called, once.
    [[nodiscard]] virtual bool is_full() const = 0;
    virtual void on_room(std::function<void()> handler) = 0;
    /// Waits, bounded, as long as too much of the serial logs is queued.
    virtual void wait_for_serial_room() = 0;

    virtual void device_info(const MaskedJson& info) = 0;
    /// A phase ran; `status` holds every phase that did so far.
    virtual void phase_ran(Phase phase, const PhaseStatus& status) = 0;
    virtual void event(std::string_view name, const MaskedChunk& detail) = 0;
    /// The device is allocated: says so, and returns when this job or its parent is over, or after `hurry`.
    virtual void stay_allocated() = 0;
    virtual void provision_log(int exit_code, const MaskedChunk& detail) = 0;
    /// The device can't be used any more until somebody repairs it.
    virtual void recovery_failed(const std::string& comment) = 0;
    /// A gzip tar of masked files.
    virtual void artifacts(const std::filesystem::path& archive) = 0;
    /// Everything was masked that will be; it is in the log and the events already.
    virtual void secrets_masked(const LeakReport& /*report*/) {}
    virtual void job_finished(const PhaseStatus& status, bool cancelled) = 0;

    /// Whether somebody cancelled the job, as of now.
    [[nodiscard]] virtual bool is_cancelled() = 0;
    /// Calls `handler` once when somebody does, until `unwatch`.
    virtual void watch_for_cancel(std::function<void()> handler) = 0;
    virtual void unwatch() = 0;

    /// The agent is to stop: from now on what fails is not waited for. Again: nothing is. From a handler of the loop.
    virtual void hurry() = 0;
};

}  // namespace trebuchet
