#include "agent/daemon/server_reporter.hpp"

#include "agent/job/job_step.hpp"
#include "common/base/backoff.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds flush_limit{60};
constexpr milliseconds hurried_limit{5000};

/// Asking costs the server the reading of the whole log: at least this long between two questions …
constexpr milliseconds cancel_pause{500};
/// … and so many times as long as the last answer took, but no longer than somebody who cancels waits.
constexpr int cancel_pause_factor = 20;
constexpr milliseconds longest_cancel_pause{5000};

milliseconds pause_after(std::chrono::steady_clock::duration answer) {
    const auto took = std::chrono::ceil<milliseconds>(answer);
    return std::clamp<milliseconds>(took * cancel_pause_factor, cancel_pause, longest_cancel_pause);
}

}  // namespace

ServerReporter::ServerReporter(const DaemonParts& parts, Orders& orders, JobFolder& folder)
    : parts_(parts),
      orders_(orders),
      folder_(folder),
      output_spool_(folder.worker(), folder.path(), output_spool_name, parts.config.trebuchet.spool),
      serial_spool_(folder.worker(), folder.path(), serial_spool_name, parts.config.trebuchet.spool),
      cancel_timer_(parts.loop),
      transfer_timer_(parts.loop) {}

void ServerReporter::begin(const Job& job) {
    job_ = &job;
    const auto uploader = [&](LogSeries series, Spool& spool) {
        return std::make_unique<LogUploader>(parts_.loop, parts_.clock, parts_.server, spool, series, job.id,
                                             parts_.draw);
    };
    output_ = uploader(LogSeries::output, output_spool_);
    serial_ = uploader(LogSeries::serial, serial_spool_);
    if (!hurried_) return;
    for (auto* series : {output_.get(), serial_.get()}) series->hurry(milliseconds(0));
}

void ServerReporter::job_resumed(const Job& job) {
    begin(job);
    events_ = folder_.record().events;
    serial_to_skip_ = serial_spool_.end() - std::min(serial_spool_.end(), folder_.record().serial_end);
    insist(Call::post_progress, "tell the server of the job in hand",
           [&] { return parts_.server.post_agent_job(job.id); });
}

void ServerReporter::job_taken(const Job& job) {
    begin(job);
    event("job_start", MaskSet::none()->mask(parts_.config.server_address + "/jobs/" + job.id));
    insist(Call::post_progress, "tell the server of the job in hand",
           [&] { return parts_.server.post_agent_job(job.id); });
    reached("job announced");
}

Result<void> ServerReporter::fetch_attachments(const std::filesystem::path& file) {
    Result<void> last;
    bool cancelled = false;
    watch_for_cancel([&] {
        cancelled = true;
        parts_.server.abort_transfer();
    });
    insist(Call::fetch_attachments, "fetch the job's attachments", [&]() -> Result<void> {
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
    insist(Call::post_progress, "post the job's state", [&, again = false]() mutable -> Result<void> {
        if (std::exchange(again, true) && is_cancelled()) return {};  // meanwhile: it must not be overwritten
        return parts_.server.post_job_state(job_->id, name);
    });
    reached("job state posted");
    insist(Call::post_progress, "post the agent's state",
           [&] { return parts_.server.post_agent_state(name, comment); });
    reached("agent state posted");
    event(std::string(name) + "_start", {});
}

void ServerReporter::process_starts(Phase phase, const std::string& marker) {
    serial_to_skip_ = 0;
    folder_.note(JournalEntry::starts(phase, marker, serial_spool_.end()));
}

void ServerReporter::process_started(const ProcessIdentity& supervisor) {
    folder_.note(JournalEntry::started(supervisor));
}

void ServerReporter::look_for_orders() {
    if (const auto found = parts_.server.read_agent()) orders_.note(*found);
}

void ServerReporter::output(Phase phase, const MaskedChunk& text) {
    output_->add(phase, text);
}
void ServerReporter::serial(Phase phase, const MaskedChunk& text) {
    if (serial_to_skip_ == 0) return serial_->add(phase, text);
    auto rest = text;
    const auto skipped =
        rest.take_front(static_cast<std::size_t>(std::min<std::uint64_t>(serial_to_skip_, rest.size())));
    serial_to_skip_ -= skipped.size();
    serial_->add(phase, rest);
}
bool ServerReporter::is_full() const {
    return output_->is_full();
}
void ServerReporter::on_room(std::function<void()> handler) {
    output_->on_room(std::move(handler));
}

void ServerReporter::wait_for_serial_room() {
    if (!serial_->is_full() || hurried_) return;
    bool has_room = false;
    bool is_late = false;
    serial_->on_room([&] { has_room = true; });
    Timer limit(parts_.loop);
    limit.start(flush_limit, [&] { is_late = true; });
    parts_.loop.run_until([&] { return has_room || is_late || hurried_; });
    serial_->on_room(nullptr);
}

void ServerReporter::flush() {
    for (auto* series : {output_.get(), serial_.get()}) {
        if (auto flushed = series->flush(flush_limit); !flushed) log_error(flushed.error().message());
    }
}

void ServerReporter::device_info(const MaskedJson& info) {
    insist(Call::post_progress, "post the device info", [&] { return parts_.server.post_device_info(job_->id, info); });
    reached("device info posted");
}

void ServerReporter::phase_ran(Phase /*phase*/, const PhaseStatus& status) {
    folder_.note(JournalEntry::ran(status));
    flush();
    reached("log flushed");
    insist(Call::post_progress, "post the phases' exit codes",
           [&] { return parts_.server.post_status(job_->id, status); });
    reached("exit codes posted");
}

void ServerReporter::event(std::string_view name, const MaskedChunk& detail) {
    if (job_->webhook.empty()) return;
    events_.push_back({std::string(name), iso8601(parts_.clock.wall_time()), detail});
    folder_.note(JournalEntry::event(events_.back()));
    if (events_are_refused_) return;
    if (auto posted = parts_.server.post_events(job_->id, job_->queue, job_->webhook, events_); !posted) {
        events_are_refused_ = true;
        log_warning("no more events for job " + job_->id + ": " + posted.error().message());
    }
    reached("event posted");
}

void ServerReporter::stay_allocated() {
    bool told = false;
    while (!hurried_) {
        const auto asked_at = parts_.clock.now();
        // Until the server knows, the parent can't go on.
        if (!told) told = parts_.server.post_job_state(job_->id, "allocated").has_value();
        if (told && (is_over(job_->id) || (!job_->parent_id.empty() && is_over(job_->parent_id)))) return;
        wait(std::min<milliseconds>(parts_.config.polling_interval, pause_after(parts_.clock.now() - asked_at)));
        if (!told && is_cancelled()) return;  // it must not be overwritten
    }
}

bool ServerReporter::is_over(const std::string& job_id) {
    const auto state = parts_.server.read_job_state(job_id);
    if (!state) log_warning("can't ask whether job " + job_id + " is over: " + state.error().message());
    return state && (*state == "complete" || *state == "completed" || *state == "cancelled");
}

void ServerReporter::provision_log(int exit_code, const MaskedChunk& detail) {
    if (auto posted = parts_.server.post_provision_log(job_->id, exit_code, detail); !posted) {
        log_warning("can't post the provision log: " + posted.error().message());
    }
    reached("provision log posted");
}

void ServerReporter::recovery_failed(const std::string& comment) {
    insist(Call::post_progress, "take the agent offline",
           [&] { return parts_.server.post_agent_state("offline", comment); });
}

void ServerReporter::artifacts(const std::filesystem::path& archive) {
    if (hurried_) transfer_timer_.start(hurried_limit, [this] { parts_.server.abort_transfer(); });
    if (insist(Call::post_artifacts, "upload the artifacts",
               [&] { return parts_.server.post_artifacts(job_->id, archive); })) {
        folder_.note(JournalEntry::artifacts_sent());
        std::error_code ignored;
        std::filesystem::remove(archive, ignored);
    } else {
        log_info("the artifacts are kept, to be delivered later");
    }
}

void ServerReporter::job_finished(const PhaseStatus& status, bool cancelled) {
    reached("job ends");
    bool time_passed = output_->waiting_since() || serial_->waiting_since();
    flush();
    if (!output_->is_done() || !serial_->is_done()) {
        log_info("the rest of the job's log is kept, to be delivered later");
    }
    const auto* state = cancelled ? "cancelled" : "complete";
    folder_.commit(JournalEntry::decided(status, state));
    reached("outcome decided");
    on_decided();
    const auto post = [&] {
        if (std::exchange(time_passed, true) && is_cancelled()) state = "cancelled";  // it must not be overwritten
        return parts_.server.post_outcome(job_->id, status, state);
    };
    reached("posting the outcome");
    if (insist(Call::post_outcome, "post the job's outcome", post)) {
        folder_.note(JournalEntry::outcome_sent());
    } else {
        log_info("the job's outcome is kept, to be delivered later");
    }
    reached("outcome posted");
    const bool there = insist(Call::post_progress, "tell the server that no job is in hand",
                              [&] { return parts_.server.post_agent_job(""); });
    reached("job id cleared");
    if (there) look_for_orders();  // those that came during the last phase and cleanup
    unwatch();
}

bool ServerReporter::is_delivered() const {
    std::error_code ignored;
    return output_->is_done() && serial_->is_done() && folder_.record().outcome_sent &&
           !std::filesystem::exists(folder_.archive(), ignored);
}

bool ServerReporter::is_kept() const {
    return folder_.is_written() && output_spool_.is_on_disk() && serial_spool_.is_on_disk();
}

void ServerReporter::hold_until_kept(const std::function<bool()>& is_stopping) {
    if (is_delivered() || is_kept()) return;
    log_error("neither the server nor the disk takes what is left of job " + job_->id +
              ": no other job is taken before one of them does");
    output_->finish();
    serial_->finish();
    const auto policy = policy_of(Call::post_outcome);
    Backoff backoff(policy.first_wait, policy.longest_wait, parts_.draw);
    while (!is_delivered() && !is_kept()) {
        if (is_stopping()) return log_error("what is left of job " + job_->id + " is lost: the agent stops");
        bool over = false;
        Timer timer(parts_.loop);
        timer.start(backoff.next(), [&] { over = true; });
        parts_.loop.run_until([&] { return over || is_stopping(); });
        folder_.retry_disk();
        output_spool_.retry_disk();
        serial_spool_.retry_disk();
        const bool log_is_sent = output_->is_done() && serial_->is_done();
        if (log_is_sent && !folder_.record().outcome_sent && !is_kept()) try_outcome_again();
    }
    log_info("what is left of job " + job_->id + " is safe");
}

void ServerReporter::try_outcome_again() {
    const auto state = parts_.server.read_job_state(job_->id);
    if (!state) return;
    const auto& decided = *folder_.record().outcome;
    const auto shown = *state == "cancelled" ? *state : decided.state;  // it must not be overwritten
    if (parts_.server.post_outcome(job_->id, decided.status, shown)) folder_.note(JournalEntry::outcome_sent());
}

void ServerReporter::note_cancelled() {
    if (!folder_.record().cancelled) folder_.note(JournalEntry::cancelled());
}

bool ServerReporter::is_cancelled() {
    const auto state = parts_.server.read_job_state(job_->id);
    if (!state) log_warning("can't ask whether the job was cancelled: " + state.error().message());
    const bool is_so = state && *state == "cancelled";
    if (is_so) note_cancelled();
    return is_so;
}

void ServerReporter::watch_for_cancel(std::function<void()> handler) {
    on_cancel_ = std::move(handler);
    ask_after(cancel_pause);
}

void ServerReporter::unwatch() {
    on_cancel_ = nullptr;
    cancel_timer_.stop();
}

void ServerReporter::ask_after(milliseconds delay) {
    cancel_timer_.start(delay, [this] { ask_whether_cancelled(); });
}

void ServerReporter::ask_whether_cancelled() {
    const auto asked_at = parts_.clock.now();
    parts_.server.read_job_state(
        job_->id, [this, asked_at, alive = std::weak_ptr(alive_)](const Result<std::string>& state) {
            if (alive.expired() || !on_cancel_) return;
            if (state && *state == "cancelled") {
                note_cancelled();
                return std::exchange(on_cancel_, nullptr)();
            }
            ask_after(state ? pause_after(parts_.clock.now() - asked_at) : longest_cancel_pause);
        });
}

void ServerReporter::wait(milliseconds time) {
    bool over = false;
    Timer timer(parts_.loop);
    timer.start(time, [&] { over = true; });
    parts_.loop.run_until([&] { return over || hurried_; });
}

bool ServerReporter::insist(Call call, const std::string& what, const std::function<Result<void>()>& send) {
    const auto policy = policy_of(call);
    Backoff backoff(policy.first_wait, policy.longest_wait, parts_.draw);
    for (int left = policy.tries; left > 0; --left) {
        const auto done = send();
        if (done) return true;
        const bool again = left > 1 && !hurried_ && !done.error().is_final();
        log_warning("can't " + what + (again ? ", trying again: " : ": ") + done.error().message());
        if (!again) break;
        wait(backoff.next());
    }
    return false;
}

void ServerReporter::hurry() {
    const auto limit = std::exchange(hurried_, true) ? milliseconds(0) : hurried_limit;
    transfer_timer_.start(limit, [this] { parts_.server.abort_transfer(); });
    for (auto* series : {output_.get(), serial_.get()}) {
        if (series != nullptr) series->hurry(limit);
    }
}

unsigned ServerReporter::doubtful_logs() const {
    return output_->doubtful() + serial_->doubtful();
}

std::chrono::steady_clock::duration ServerReporter::upload_lag() const {
    std::chrono::steady_clock::duration lag{};
    for (const auto* series : {output_.get(), serial_.get()}) {
        const auto since = series == nullptr ? std::nullopt : series->waiting_since();
        if (since) lag = std::max(lag, parts_.clock.now() - *since);
    }
    return lag;
}

}  // namespace trebuchet
