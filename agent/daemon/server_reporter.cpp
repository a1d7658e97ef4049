#include "agent/daemon/server_reporter.hpp"

#include "agent/job/job_step.hpp"
#include "common/base/backoff.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

/// The limit of running transfers and waits when the agent is told to stop.
constexpr milliseconds stop_limit{5000};

}  // namespace

ServerReporter::ServerReporter(const DaemonParts& parts, Orders& orders, JobFolder& folder,
                               std::shared_ptr<const MaskSet> masks, std::function<void()> on_decided)
    : parts_(parts),
      orders_(orders),
      folder_(folder),
      masks_(std::move(masks)),
      on_decided_(std::move(on_decided)),
      log_(parts, folder),
      cancel_watch_(parts.loop, parts.clock, parts.server, [this] { note_cancelled(); }),
      transfer_timer_(parts.loop) {}

void ServerReporter::job_taken(const Job& job) {
    job_ = &job;
    log_.begin();
    event("job_start", masks_->mask(parts_.config.server_address + "/jobs/" + job.id));
    post_with_retries("tell the server of the job in hand", [&] { return parts_.server.post_agent_job(job.id); });
    reached("job announced");
}

void ServerReporter::job_resumed(const Job& job) {
    job_ = &job;
    log_.begin();
    events_ = folder_.record().events;
    log_.skip_spooled_serial(folder_.record().serial_end);
    post_with_retries("tell the server of the job in hand", [&] { return parts_.server.post_agent_job(job.id); });
}

Result<void> ServerReporter::fetch_attachments(const std::filesystem::path& file) {
    Result<void> last;
    bool cancelled = false;
    watch_for_cancel([&] {
        cancelled = true;
        parts_.server.stop_transfer();
    });
    with_retries(Call::fetch_attachments, "fetch the attachments", [&]() -> Result<void> {
        if (!cancelled) last = parts_.server.fetch_attachments(job_->id, file);
        return cancelled ? Result<void>(tl::unexpected(Error("the job is cancelled", true))) : last;
    });
    unwatch();
    return last;
}

void ServerReporter::phase_entered(Phase phase) {
    reached("phase is next");
    folder_.note(JournalEntry::entered(phase));
    const auto name = name_of(phase);
    look_for_orders();
    const auto& order = orders_.standing();
    const std::string comment = order ? order->comment : "";
    post_with_retries("post the job's state", [&, shown = JobState::unknown, again = false]() mutable -> Result<void> {
        if (std::exchange(again, true)) shown = shown_state();
        const auto state = state_to_post(state_of(phase), shown);
        return state ? parts_.server.post_job_state(job_->id, *state) : Result<void>();
    });
    reached("job state posted");
    post_with_retries("post the agent's state", [&] { return parts_.server.post_agent_state(name, comment); });
    reached("agent state posted");
    event(std::string(name) + "_start", {});
}

void ServerReporter::process_starts(Phase phase, const std::string& marker) {
    folder_.note(JournalEntry::starts(phase, marker, log_.begin_serial()));
}

void ServerReporter::process_started(const ProcessIdentity& supervisor) {
    folder_.note(JournalEntry::started(supervisor));
}

void ServerReporter::look_for_orders() {
    if (const auto found = parts_.server.read_agent()) orders_.note(*found);
}

void ServerReporter::device_info(const MaskedJson& info) {
    post_with_retries("post the device info", [&] { return parts_.server.post_device_info(job_->id, info); });
    reached("device info posted");
}

void ServerReporter::phase_ran(Phase /*phase*/, const PhaseStatus& status) {
    folder_.note(JournalEntry::ran(status));
}

void ServerReporter::wait_for_log_upload() {
    log_.wait_for_upload();
    reached("log flushed");
}

void ServerReporter::post_status(const PhaseStatus& status) {
    post_with_retries("post the phases' exit codes", [&] { return parts_.server.post_status(job_->id, status); });
    reached("exit codes posted");
}

void ServerReporter::event(std::string_view name, const MaskedChunk& detail) {
    if (job_->webhook.empty()) return;
    events_.push_back({std::string(name), iso8601(parts_.clock.wall_time()), detail});
    folder_.note(JournalEntry::event(events_.back()));
    if (events_are_refused_) return;
    if (auto posted = parts_.server.post_events(job_->id, job_->queue, job_->webhook, events_); !posted) {
        events_are_refused_ = true;
        log_warning("job " + job_->id +
                    ": can't send an event, its webhook gets no more of this job: " + posted.error().message());
    }
    reached("event posted");
}

void ServerReporter::wait_while_allocated() {
    bool told = false;
    auto shown = JobState::unknown;
    while (!agent_stops()) {
        const auto asked_at = parts_.clock.now();
        const auto state = state_to_post(JobState::allocated, shown);
        if (!state) return;
        // Until the server knows, the parent can't go on.
        if (!told) told = parts_.server.post_job_state(job_->id, *state).has_value();
        if (told && (is_over(job_->id) || (!job_->parent_id.empty() && is_over(job_->parent_id)))) return;
        const auto pause = CancelWatch::pause_after(parts_.clock.now() - asked_at);
        parts_.loop.wait_for(std::min<milliseconds>(parts_.config.polling_interval, pause),
                             [&] { return agent_stops(); });
        if (!told) shown = shown_state();
    }
}

bool ServerReporter::is_over(const std::string& job_id) {
    const auto state = parts_.server.read_job_state(job_id);
    if (!state) log_warning("can't ask whether job " + job_id + " is over: " + state.error().message());
    return state && is_final(*state);
}

void ServerReporter::provision_log(int exit_code, const MaskedChunk& detail) {
    if (auto posted = parts_.server.post_provision_log(job_->id, exit_code, detail); !posted) {
        log_warning("job " + job_->id + ": can't post the provision log: " + posted.error().message());
    }
    reached("provision log posted");
}

void ServerReporter::recovery_failed(const std::string& comment) {
    post_with_retries("take the agent offline", [&] { return parts_.server.post_agent_state("offline", comment); });
}

void ServerReporter::upload_artifacts(const std::filesystem::path& archive) {
    if (agent_stops()) transfer_timer_.start(stop_limit, [this] { parts_.server.stop_transfer(); });
    const auto sent = with_retries(Call::post_artifacts, "upload the artifacts",
                                   [&] { return parts_.server.post_artifacts(job_->id, archive); });
    if (!sent) return log_info("job " + job_->id + ": the artifacts are kept and will be sent later");
    folder_.note(JournalEntry::artifacts_sent());
    std::error_code ignored;
    std::filesystem::remove(archive, ignored);
}

void ServerReporter::deliver_outcome(const PhaseStatus& status, bool cancelled) {
    reached("job ends");
    bool time_passed = !log_.is_sent();
    log_.wait_for_upload();
    if (!log_.is_sent()) log_info("job " + job_->id + ": the rest of the log is kept and will be sent later");
    const auto state = final_state(cancelled);
    folder_.commit(JournalEntry::decided(status, state));
    reached("outcome decided");
    on_decided_();
    const auto post = [&, shown = state]() mutable {
        // If no time has passed, `cancelled` is what the server has just said.
        if (std::exchange(time_passed, true) && shown != JobState::cancelled) shown = shown_state();
        return parts_.server.post_outcome(job_->id, status, *state_to_post(state, shown));
    };
    reached("posting the outcome");
    if (with_retries(Call::post_outcome, "post the outcome", post)) {
        folder_.note(JournalEntry::outcome_sent());
    } else {
        log_info("job " + job_->id + ": the outcome is kept and will be sent later");
    }
    reached("outcome posted");
    const bool is_there =
        post_with_retries("tell the server that no job is in hand", [&] { return parts_.server.post_agent_job(""); });
    reached("job id cleared");
    if (is_there) look_for_orders();  // those that came during the last phase and cleanup
    unwatch();
}

bool ServerReporter::is_delivered() const {
    std::error_code ignored;
    return log_.is_sent() && folder_.record().outcome_sent && !std::filesystem::exists(folder_.archive(), ignored);
}

bool ServerReporter::is_kept() const {
    return folder_.is_written() && log_.is_on_disk();
}

void ServerReporter::hold_until_kept(const std::function<bool()>& is_stopping) {
    if (is_delivered() || is_kept()) return;
    log_error("job " + job_->id + ": can't send or store the remaining data; not accepting jobs");
    log_.finish();
    const auto policy = policy_of(Call::post_outcome);
    Backoff backoff(policy.first_wait, policy.longest_wait, parts_.draw);
    while (!is_delivered() && !is_kept()) {
        if (is_stopping()) return log_error("job " + job_->id + ": the remaining data is lost: the agent stops");
        parts_.loop.wait_for(backoff.next(), is_stopping);
        folder_.retry_disk();
        log_.retry_disk();
        if (log_.is_sent() && !folder_.record().outcome_sent && !is_kept()) try_outcome_again();
    }
    log_info("job " + job_->id + ": the remaining data is sent or stored");
}

void ServerReporter::try_outcome_again() {
    const auto shown = parts_.server.read_job_state(job_->id);
    if (!shown) return;
    const auto& decided = *folder_.record().outcome;
    const auto posted = parts_.server.post_outcome(job_->id, decided.status, *state_to_post(decided.state, *shown));
    if (posted) folder_.note(JournalEntry::outcome_sent());
}

void ServerReporter::note_cancelled() {
    if (!folder_.record().cancelled) folder_.note(JournalEntry::cancelled());
}

bool ServerReporter::is_cancelled() {
    return shown_state() == JobState::cancelled;
}

JobState ServerReporter::shown_state() {
    const auto state = parts_.server.read_job_state(job_->id);
    if (!state) log_warning("can't ask whether job " + job_->id + " is cancelled: " + state.error().message());
    if (state && *state == JobState::cancelled) note_cancelled();
    return state.value_or(JobState::unknown);
}

void ServerReporter::watch_for_cancel(std::function<void()> handler) {
    cancel_watch_.start(job_->id, std::move(handler));
}

void ServerReporter::unwatch() {
    cancel_watch_.stop();
}

bool ServerReporter::with_retries(Call call, const std::string& what, const std::function<Result<void>()>& send) {
    const auto policy = policy_of(call);
    Backoff backoff(policy.first_wait, policy.longest_wait, parts_.draw);
    for (int left = policy.tries; left > 0; --left) {
        const auto done = send();
        if (done) return true;
        const bool again = left > 1 && !agent_stops() && !done.error().is_final();
        log_warning("job " + job_->id + ": can't " + what + ": " + done.error().message() +
                    (again ? "; retrying" : ""));
        if (!again) break;
        parts_.loop.wait_for(backoff.next(), [&] { return agent_stops(); });
    }
    return false;
}

bool ServerReporter::post_with_retries(const std::string& what, const std::function<Result<void>()>& post) {
    return with_retries(Call::post_progress, what, post);
}

void ServerReporter::stop() {
    limit_waits(stop_limit);
}

void ServerReporter::stop_now() {
    limit_waits(milliseconds(0));
}

void ServerReporter::limit_waits(milliseconds limit) {
    if (log_.wait_limit() && *log_.wait_limit() <= limit) return;  // a stop after a stop_now changes nothing
    transfer_timer_.start(limit, [this] { parts_.server.stop_transfer(); });
    log_.limit_waits(limit);
}

}  // namespace trebuchet
