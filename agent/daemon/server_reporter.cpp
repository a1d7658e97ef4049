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

/// Limits running transfers and waits once the agent is told to stop.
constexpr milliseconds stop_limit{5000};

/// How long an answer that the job is not cancelled stays valid.
constexpr milliseconds new_enough{250};

}  // namespace

ServerReporter::ServerReporter(const DaemonParts& parts, AgentPosts& posts, JobFolder& folder,
                               std::shared_ptr<const MaskSet> masks, std::function<void()> on_decided)
    : parts_(parts),
      posts_(posts),
      folder_(folder),
      masks_(std::move(masks)),
      on_decided_(std::move(on_decided)),
      log_(parts, folder),
      cancel_watch_(parts.loop, parts.clock, parts.server, [this] { note_cancelled(); }),
      transfer_timer_(parts.loop) {}

void ServerReporter::job_taken(const Job& job) {
    job_ = &job;
    log_.begin();
    posts_.job_taken(job.id);
    is_just_taken_ = job.webhook.empty();
    event("job_start", masks_->mask(parts_.config.server_address + "/jobs/" + job.id));
    reached("job announced");
}

void ServerReporter::job_resumed(const Job& job) {
    job_ = &job;
    log_.begin();
    events_ = folder_.record().events;
    // If the agent reads the console itself, the spool also contains text that is in no file.
    if (parts_.config.trebuchet.console_command.empty()) log_.skip_spooled_serial(folder_.record().serial_end);
    posts_.job_taken(job.id);
}

Result<void> ServerReporter::fetch_attachments(const std::filesystem::path& file) {
    Result<void> last;
    bool cancelled = false;
    is_just_taken_ = false;
    posts_.time_passes();
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
    const auto status = std::exchange(waiting_status_, std::nullopt);
    post_with_retries("post the job's state", [&, shown = JobState::unknown, again = false]() mutable -> Result<void> {
        if (std::exchange(again, true)) shown = shown_state();
        if (const auto state = state_to_post(state_of(phase), shown)) {
            return parts_.server.post_job_state(job_->id, *state, status ? &*status : nullptr);
        }
        return status ? parts_.server.post_status(job_->id, *status) : Result<void>();
    });
    reached("job state posted");
    posts_.phase_entered(phase);
    event(std::string(name_of(phase)) + "_start", {});
}

void ServerReporter::process_starts(Phase phase, const std::string& marker) {
    post_waiting_status();
    posts_.time_passes();
    folder_.note(JournalEntry::starts(phase, marker, log_.begin_serial()));
}

void ServerReporter::process_started(const ProcessIdentity& supervisor) {
    folder_.note(JournalEntry::started(supervisor));
}

void ServerReporter::device_info(const MaskedJson& info) {
    post_with_retries("post the device info", [&] { return parts_.server.post_device_info(job_->id, info); });
    reached("device info posted");
}

void ServerReporter::phase_ran(Phase /*phase*/, const PhaseStatus& status) {
    folder_.note(JournalEntry::ran(status));
}

void ServerReporter::wait_for_log_upload() {
    is_just_taken_ = false;
    ask_for_state_ahead();
    log_.wait_for_upload();
    reached("log flushed");
}

void ServerReporter::post_status(const PhaseStatus& status) {
    waiting_status_ = status;
    // The receiver of an event may look for the exit code.
    if (!job_->webhook.empty()) post_waiting_status();
}

void ServerReporter::post_waiting_status() {
    const auto status = std::exchange(waiting_status_, std::nullopt);
    if (!status) return;
    post_with_retries("post the phases' exit codes", [&] { return parts_.server.post_status(job_->id, *status); });
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
                    ": cannot send an event, sending no more events of this job: " + posted.error().message());
    }
    reached("event posted");
}

void ServerReporter::wait_while_allocated() {
    post_waiting_status();
    posts_.time_passes();
    bool told = false;
    auto shown = JobState::unknown;
    while (!agent_stops()) {
        const auto asked_at = parts_.clock.now();
        const auto state = state_to_post(JobState::allocated, shown);
        if (!state) return;
        // The parent job cannot continue until the server knows.
        if (!told) told = parts_.server.post_job_state(job_->id, *state, nullptr).has_value();
        if (told && (is_over(job_->id) || (!job_->parent_id.empty() && is_over(job_->parent_id)))) return;
        const auto pause = CancelWatch::pause_after(parts_.clock.now() - asked_at, parts_.server);
        parts_.loop.wait_for(std::min<milliseconds>(parts_.config.polling_interval, pause),
                             [&] { return agent_stops(); });
        if (!told) shown = shown_state();
    }
}

bool ServerReporter::is_over(const std::string& job_id) {
    const auto state = parts_.server.read_job_state(job_id);
    if (!state) log_warning("cannot ask whether job " + job_id + " is over: " + state.error().message());
    return state && is_final(*state);
}

void ServerReporter::provision_log(int exit_code, const MaskedChunk& detail) {
    posts_.provision_log(exit_code, detail);
}

void ServerReporter::recovery_failed(const std::string& comment) {
    posts_.offline(comment);
}

void ServerReporter::upload_artifacts(const std::filesystem::path& archive) {
    post_waiting_status();
    if (agent_stops()) transfer_timer_.start(stop_limit, [this] { parts_.server.stop_transfer(); });
    const auto sent = with_retries(Call::post_artifacts, "upload the artifacts",
                                   [&] { return parts_.server.post_artifacts(job_->id, archive); });
    if (!sent && !sent.error().is_final())
        return log_info("job " + job_->id + ": the artifacts are kept and will be sent later");
    if (!sent) give_up("artifacts", sent.error());
    folder_.note(JournalEntry::artifacts_sent());
    std::error_code ignored;
    std::filesystem::remove(archive, ignored);
}

void ServerReporter::deliver_outcome(const PhaseStatus& status, bool cancelled) {
    reached("job ends");
    waiting_status_.reset();  // the outcome contains it
    bool time_passed = !log_.is_sent();
    log_.wait_for_upload();
    if (!log_.is_sent()) log_info("job " + job_->id + ": the rest of the log is kept and will be sent later");
    const auto state = final_state(cancelled);
    folder_.commit(JournalEntry::decided(status, state));
    reached("outcome decided");
    on_decided_();
    const auto post = [&, shown = state]() mutable {
        // If no time has passed, the server has just confirmed `cancelled`.
        if (std::exchange(time_passed, true) && shown != JobState::cancelled) shown = shown_state();
        return parts_.server.post_outcome(job_->id, status, *state_to_post(state, shown));
    };
    reached("posting the outcome");
    const auto posted = with_retries(Call::post_outcome, "post the outcome", post);
    if (posted || posted.error().is_final()) {
        if (!posted) give_up("outcome", posted.error());
        folder_.note(JournalEntry::outcome_sent());
    } else {
        log_info("job " + job_->id + ": the outcome is kept and will be sent later");
    }
    reached("outcome posted");
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
    log_error("job " + job_->id + ": cannot send or store the remaining data; not accepting jobs");
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
    if (!shown && !shown.error().is_final()) return;
    const auto& decided = *folder_.record().outcome;
    const auto state = state_to_post(decided.state, shown.value_or(JobState::unknown));
    const auto posted = parts_.server.post_outcome(job_->id, decided.status, *state);
    if (!posted && !posted.error().is_final()) return;
    if (!posted) give_up("outcome", posted.error());
    folder_.note(JournalEntry::outcome_sent());
}

void ServerReporter::give_up(const std::string& what, const Error& reason) const {
    log_error("job " + job_->id + ": giving up on its " + what + ", which cannot be delivered: " + reason.message());
}

void ServerReporter::note_cancelled() {
    if (!folder_.record().cancelled) folder_.note(JournalEntry::cancelled());
}

bool ServerReporter::is_cancelled() {
    if (std::exchange(is_just_taken_, false)) return false;
    const auto ahead = state_asked_ahead();
    return (ahead ? *ahead : shown_state()) == JobState::cancelled;
}

void ServerReporter::ask_for_state_ahead() {
    const auto ahead = std::make_shared<AheadAnswer>(AheadAnswer{parts_.clock.now()});
    asked_ahead_ = ahead;
    parts_.server.read_job_state(job_->id, [ahead](Result<JobState> state) { ahead->state = std::move(state); });
}

std::optional<JobState> ServerReporter::state_asked_ahead() {
    const auto ahead = std::exchange(asked_ahead_, nullptr);
    const auto is_new = [&] { return parts_.clock.now() - ahead->asked_at <= new_enough; };
    if (!ahead || !is_new()) return std::nullopt;
    parts_.loop.wait_for(new_enough, [&] { return ahead->state || agent_stops(); });
    if (!ahead->state || !*ahead->state || !is_new()) return std::nullopt;
    if (**ahead->state == JobState::cancelled) note_cancelled();
    return **ahead->state;
}

JobState ServerReporter::shown_state() {
    const auto state = parts_.server.read_job_state(job_->id);
    if (!state) log_warning("cannot ask whether job " + job_->id + " is cancelled: " + state.error().message());
    if (state && *state == JobState::cancelled) note_cancelled();
    return state.value_or(JobState::unknown);
}

void ServerReporter::watch_for_cancel(std::function<void()> handler) {
    cancel_watch_.start(job_->id, std::move(handler));
}

void ServerReporter::unwatch() {
    cancel_watch_.stop();
}

Result<void> ServerReporter::with_retries(Call call, const std::string& what,
                                          const std::function<Result<void>()>& send) {
    const auto policy = policy_of(call);
    Backoff backoff(policy.first_wait, policy.longest_wait, parts_.draw);
    Result<void> done;
    for (int left = policy.tries; left > 0; --left) {
        done = send();
        if (done) return done;
        const bool again = left > 1 && !agent_stops() && !done.error().is_final();
        log_warning("job " + job_->id + ": cannot " + what + ": " + done.error().message() +
                    (again ? "; retrying" : ""));
        if (!again) break;
        parts_.loop.wait_for(backoff.next(), [&] { return agent_stops(); });
    }
    return done;
}

bool ServerReporter::post_with_retries(const std::string& what, const std::function<Result<void>()>& post) {
    return with_retries(Call::post_progress, what, post).has_value();
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
    posts_.stop(limit);
}

}  // namespace trebuchet
