#pragma once

#include "agent/job/held_back.hpp"
#include "agent/job/mask_report.hpp"
#include "agent/job/phase.hpp"
#include "common/metrics/metrics.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace trebuchet {

/// The metrics of one agent. Each has the label agent_id. The first four have the reference agent's names, labels and
/// buckets:
///
///     jobs_total                               jobs taken
///     failures_total {test_phase}              phases that ended with a non-zero exit code
///     phase_duration_seconds {test_phase, identifier, release}   histogram of the phases that ran
///     recovery_failures_total                  phases other than cleanup that exited with 46
///     trebuchet_agent_info {version}           1
///     trebuchet_agent_state {state}            1 for the state it is in, else 0
///     trebuchet_held_back {guard}              1: takes no jobs because of the guard
///     trebuchet_cpu_seconds_total {test_phase} CPU time of phases, where they have cgroups
///     trebuchet_provision_failures_in_a_row    failed provisions since the last one that succeeded
///     trebuchet_quarantined                    1: takes no jobs after too many of these
///     trebuchet_masked_bytes_total             bytes of output and serial log that came out of the masker
///     trebuchet_masked_total {place, form}     secrets masked in finished jobs
///     trebuchet_secret_accesses_total {source, outcome}   secrets of the lab that phases got or did not get
///     trebuchet_poll_duration_seconds          histogram: from asking for a job to the answer
///     trebuchet_failed_requests_total          requests to register, for the state or for a job without an answer
///     trebuchet_results_given_up_total         results that could not be delivered for too long, and are lost
///     trebuchet_doubtful_log_fragments_total   pieces of log that the server may show twice
///     trebuchet_upload_lag_seconds             age of the oldest byte of log that the server has not confirmed
///     trebuchet_loop_lag_seconds               histogram: how late the event loop is, measured four times a second
///
/// No label holds a job's id or anything else that grows without bound: the first 32 releases that devices report have
/// a series each, the rest is "other". Use it on the loop's thread.
class AgentMetrics {
  public:
    using Duration = std::chrono::steady_clock::duration;

    /// `identifier`: the configuration's, or "".
    AgentMetrics(const std::string& agent_id, std::string identifier);
    [[nodiscard]] bool are_of(const std::string& agent_id, const std::string& identifier) const {
        return agent_id_ == agent_id && identifier_ == identifier;
    }

    void job_started();
    void job_failed(Phase phase);
    void phase_took(Phase phase, Duration time);
    void recovery_failed();
    void cpu_used(Phase phase, std::chrono::microseconds time);
    void masked(std::size_t bytes);
    void secrets_masked(const MaskReport& report);
    void secret_accessed(std::string_view source, std::string_view outcome);
    void doubtful_logs(unsigned count);
    /// A result could not be delivered for too long and is lost.
    void result_given_up();
    /// A poll was answered after `time`.
    void polled(Duration time);
    /// The server answered or failed to. problem() counts the failures in a row.
    void server_answered() { failures_in_a_row_ = 0; }
    void server_failed();
    /// The event loop was late by `lag`.
    void loop_lagged(Duration lag, std::chrono::system_clock::time_point now);
    /// Why the agent takes no jobs; nullopt: it takes jobs.
    void held_back(const std::optional<HeldBack>& by);
    /// Failed provisions in a row, and whether the device is in quarantine.
    void device_health(unsigned failures_in_a_row, bool is_quarantined);
    /// The agent's state in the API's spelling. An unknown state counts as none.
    void state_is(std::string_view state);
    /// The release on the device, as parse_os_release returns it; "": unknown.
    void release_known(std::string_view release);
    /// `lag` is called at each scrape; null: no lag.
    void watch_upload_lag(std::function<Duration()> lag) { upload_lag_ = std::move(lag); }

    /// The metrics in Prometheus' text format.
    [[nodiscard]] std::string text();
    /// Why the agent cannot work, in one line; "" if it can. Being offline on an order is not a problem.
    [[nodiscard]] std::string problem() const;
    /// When the event loop was last blocked for more than a second, in one line; "" if never.
    [[nodiscard]] const std::string& lag_note() const { return lag_note_; }

  private:
    [[nodiscard]] Counter failures_of(Phase phase);

    Metrics metrics_;
    std::string agent_id_;
    std::string identifier_;
    Counter jobs_;
    Counter recovery_failures_;
    Counter masked_bytes_;
    Histogram poll_duration_;
    Counter failed_requests_;
    Counter doubtful_logs_;
    Counter results_given_up_;
    Gauge upload_lag_seconds_;
    Gauge provision_failures_;
    Gauge quarantined_;
    Histogram loop_lag_;
    std::string lag_note_;
    std::function<Duration()> upload_lag_;
    std::string release_;
    std::set<std::string, std::less<>> releases_;
    int failures_in_a_row_ = 0;
    std::string held_back_;  ///< the reason; "" if the agent takes jobs
};

}  // namespace trebuchet
