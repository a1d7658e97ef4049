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
///     trebuchet_job_quiet_seconds              since the running job began a phase or wrote; 0: none runs
///     trebuchet_mask_failures_total            jobs that were not run because their masks could not be built
///     trebuchet_token_age_seconds              since the refresh token was obtained; 0: there is none
///     trebuchet_token_lifetime_seconds         trebuchet.token_lifetime; 0: unknown
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
    /// A job is not run because its masks could not be built.
    void masks_failed();
    /// How long a refresh token can be used; 0: unknown.
    void token_lifetime(std::chrono::seconds time);
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
    /// The same for how long the running job has been quiet, and for the age of the refresh token.
    void watch_job_quiet(std::function<Duration()> quiet) { job_quiet_ = std::move(quiet); }
    void watch_token_age(std::function<Duration()> age) { token_age_ = std::move(age); }

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
    Counter mask_failures_;
    Gauge upload_lag_seconds_;
    Gauge job_quiet_seconds_;
    Gauge token_age_seconds_;
    Gauge token_lifetime_seconds_;
    Gauge provision_failures_;
    Gauge quarantined_;
    Histogram loop_lag_;
    std::string lag_note_;
    std::function<Duration()> upload_lag_;
    std::function<Duration()> job_quiet_;
    std::function<Duration()> token_age_;
    std::string release_;
    std::set<std::string, std::less<>> releases_;
    int failures_in_a_row_ = 0;
    std::string held_back_;  ///< the reason; "" if the agent takes jobs
};

}  // namespace trebuchet
