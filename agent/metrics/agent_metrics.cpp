#include "agent/metrics/agent_metrics.hpp"

#include "common/base/clock.hpp"
#include "common/base/version.hpp"

#include <array>
#include <utility>
#include <vector>

namespace trebuchet {
namespace {

constexpr std::size_t release_limit = 32;
constexpr int failures_until_problem = 3;
constexpr std::chrono::seconds longest_quiet_lag{1};

const MetricFamily failures{"failures_total", "Phases that ended with a non-zero exit code"};
const MetricFamily secret_accesses{"trebuchet_secret_accesses_total",
                                   "Secrets of the lab that phases got or did not get"};
const MetricFamily masked_secrets{"trebuchet_masked_total", "Secrets that were masked in finished jobs"};
const MetricFamily cpu_seconds{"trebuchet_cpu_seconds_total", "CPU time that the processes of phases used"};
const MetricFamily phase_duration{"phase_duration_seconds", "Time that a phase's command took"};
const MetricFamily agent_state{"trebuchet_agent_state", "1 for the state that the agent is in"};

const std::vector<double>& phase_buckets() {
    static const std::vector<double> bounds{60, 120, 300, 600, 1800, 3600, 7200, 14400};
    return bounds;
}

const std::vector<double>& poll_buckets() {
    static const std::vector<double> bounds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
    return bounds;
}

const std::vector<double>& lag_buckets() {
    static const std::vector<double> bounds{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10};
    return bounds;
}

std::vector<std::string> all_states() {
    std::vector<std::string> states{"waiting", "offline", "maintenance", "restart"};
    for (const Phase phase : all_phases) states.emplace_back(name_of(phase));
    return states;
}

double seconds(AgentMetrics::Duration time) {
    return std::chrono::duration<double>(time).count();
}

}  // namespace

AgentMetrics::AgentMetrics(const std::string& agent_id, std::string identifier)
    : agent_id_(agent_id),
      identifier_(std::move(identifier)),
      jobs_(metrics_.counter({"jobs_total", "Jobs taken"}, {{"agent_id", agent_id}})),
      recovery_failures_(
          metrics_.counter({"recovery_failures_total", "Phases after which the device could not be recovered"},
                           {{"agent_id", agent_id}})),
      masked_bytes_(metrics_.counter({"trebuchet_masked_bytes_total", "Bytes of output and serial log after masking"},
                                     {{"agent_id", agent_id}})),
      poll_duration_(metrics_.histogram({"trebuchet_poll_duration_seconds", "Time from asking for a job to the answer"},
                                        {{"agent_id", agent_id}}, poll_buckets())),
      failed_requests_(metrics_.counter(
          {"trebuchet_failed_requests_total", "Requests for the agent's state or a job that were not answered"},
          {{"agent_id", agent_id}})),
      doubtful_logs_(
          metrics_.counter({"trebuchet_doubtful_log_fragments_total", "Pieces of log that the server may show twice"},
                           {{"agent_id", agent_id}})),
      results_given_up_(
          metrics_.counter({"trebuchet_results_given_up_total",
                            "Results that were given up and are lost, because they could not be delivered in time"},
                           {{"agent_id", agent_id}})),
      mask_failures_(metrics_.counter(
          {"trebuchet_mask_failures_total", "Jobs that were not run because their masks could not be built"},
          {{"agent_id", agent_id}})),
      upload_lag_seconds_(metrics_.gauge(
          {"trebuchet_upload_lag_seconds", "Age of the oldest byte of log that the server has not confirmed"},
          {{"agent_id", agent_id}})),
      job_quiet_seconds_(metrics_.gauge(
          {"trebuchet_job_quiet_seconds", "Time since the running job began a phase or wrote; 0 if none runs"},
          {{"agent_id", agent_id}})),
      token_age_seconds_(
          metrics_.gauge({"trebuchet_token_age_seconds", "Time since the refresh token was obtained; 0 without one"},
                         {{"agent_id", agent_id}})),
      token_lifetime_seconds_(
          metrics_.gauge({"trebuchet_token_lifetime_seconds", "How long a refresh token can be used; 0 if nobody said"},
                         {{"agent_id", agent_id}})),
      provision_failures_(metrics_.gauge(
          {"trebuchet_provision_failures_in_a_row", "Failed provisions since the last one that succeeded"},
          {{"agent_id", agent_id}})),
      quarantined_(
          metrics_.gauge({"trebuchet_quarantined", "1 while the agent takes no jobs after too many failed provisions"},
                         {{"agent_id", agent_id}})),
      loop_lag_(metrics_.histogram({"trebuchet_loop_lag_seconds", "How late the agent's event loop is"},
                                   {{"agent_id", agent_id}}, lag_buckets())) {
    metrics_
        .gauge({"trebuchet_agent_info", "Always 1; the labels give the agent and its version"},
               {{"agent_id", agent_id}, {"version", version}})
        .set(1);
    for (const Phase phase : all_phases) static_cast<void>(failures_of(phase));
    state_is("");
    held_back(std::nullopt);
}

Counter AgentMetrics::failures_of(Phase phase) {
    return metrics_.counter(failures, {{"agent_id", agent_id_}, {"test_phase", std::string(name_of(phase))}});
}

void AgentMetrics::job_started() {
    jobs_.add();
}

void AgentMetrics::job_failed(Phase phase) {
    failures_of(phase).add();
}

void AgentMetrics::phase_took(Phase phase, Duration time) {
    const MetricLabels labels{{"agent_id", agent_id_},
                              {"test_phase", std::string(name_of(phase))},
                              {"identifier", identifier_},
                              {"release", release_}};
    metrics_.histogram(phase_duration, labels, phase_buckets()).observe(seconds(time));
}

void AgentMetrics::cpu_used(Phase phase, std::chrono::microseconds time) {
    metrics_.counter(cpu_seconds, {{"agent_id", agent_id_}, {"test_phase", std::string(name_of(phase))}})
        .add(std::chrono::duration<double>(time).count());
}

void AgentMetrics::recovery_failed() {
    recovery_failures_.add();
}

void AgentMetrics::masked(std::size_t bytes) {
    masked_bytes_.add(static_cast<double>(bytes));
}

void AgentMetrics::secrets_masked(const MaskReport& report) {
    for (const auto& [place, counts] : report.places()) {
        for (const auto& [key, times] : counts->sorted()) {
            const MetricLabels labels{
                {"agent_id", agent_id_}, {"place", place}, {"form", std::string(name_of(key.form))}};
            metrics_.counter(masked_secrets, labels).add(static_cast<double>(times));
        }
    }
}

void AgentMetrics::secret_accessed(std::string_view source, std::string_view outcome) {
    const MetricLabels labels{
        {"agent_id", agent_id_}, {"source", std::string(source)}, {"outcome", std::string(outcome)}};
    metrics_.counter(secret_accesses, labels).add(1);
}

void AgentMetrics::polled(Duration time) {
    poll_duration_.observe(seconds(time));
}

void AgentMetrics::loop_lagged(Duration lag, std::chrono::system_clock::time_point now) {
    loop_lag_.observe(seconds(lag));
    if (lag <= longest_quiet_lag) return;
    const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(lag).count() / 100;
    lag_note_ = "the event loop was blocked for " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) +
                " s at " + iso8601(now);
}

void AgentMetrics::server_failed() {
    ++failures_in_a_row_;
    failed_requests_.add();
}

void AgentMetrics::result_given_up() {
    results_given_up_.add();
}

void AgentMetrics::doubtful_logs(unsigned count) {
    doubtful_logs_.add(count);
}

void AgentMetrics::state_is(std::string_view state) {
    for (const auto& known : all_states()) {
        metrics_.gauge(agent_state, {{"agent_id", agent_id_}, {"state", known}}).set(known == state ? 1 : 0);
    }
}

void AgentMetrics::held_back(const std::optional<HeldBack>& by) {
    const MetricFamily family{"trebuchet_held_back", "1 if the guard keeps the agent from taking jobs, else 0"};
    for (const Guard guard : all_guards) {
        metrics_.gauge(family, {{"agent_id", agent_id_}, {"guard", std::string(name_of(guard))}})
            .set(by && by->by == guard ? 1 : 0);
    }
    held_back_ = by ? by->reason : "";
}

void AgentMetrics::device_health(unsigned failures_in_a_row, bool is_quarantined) {
    provision_failures_.set(failures_in_a_row);
    quarantined_.set(is_quarantined ? 1 : 0);
}

void AgentMetrics::masks_failed() {
    mask_failures_.add();
}

void AgentMetrics::token_lifetime(std::chrono::seconds time) {
    token_lifetime_seconds_.set(static_cast<double>(time.count()));
}

void AgentMetrics::release_known(std::string_view release) {
    release_ = release;
    if (release.empty() || releases_.count(release) > 0) return;
    if (releases_.size() < release_limit) {
        releases_.insert(release_);
    } else {
        release_ = "other";
    }
}

std::string AgentMetrics::text() {
    upload_lag_seconds_.set(upload_lag_ ? seconds(upload_lag_()) : 0);
    job_quiet_seconds_.set(job_quiet_ ? seconds(job_quiet_()) : 0);
    token_age_seconds_.set(token_age_ ? seconds(token_age_()) : 0);
    return metrics_.text();
}

std::string AgentMetrics::problem() const {
    if (!held_back_.empty()) return "no jobs are taken: " + held_back_;
    if (failures_in_a_row_ < failures_until_problem) return "";
    return "the server did not answer the last " + std::to_string(failures_in_a_row_) + " requests";
}

}  // namespace trebuchet
