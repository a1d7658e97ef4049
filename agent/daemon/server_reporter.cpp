#include "agent/daemon/server_reporter.hpp"

#include "common/base/backoff.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds flush_limit{60};
constexpr std::chrono::seconds hurried_flush_limit{5};
constexpr int status_tries = 4;
/// About a minute of trying: without its outcome, a job looks as if it ran for ever.
constexpr int outcome_tries = 8;

/// Asking costs the server the reading of the whole log: at least this long between two questions …
constexpr milliseconds cancel_pause{1000};
/// … and at least so many times as long as the last answer took.
constexpr int cancel_pause_factor = 20;

}  // namespace

ServerReporter::ServerReporter(EventLoop& loop, const Clock& clock, const Config& config, JobServer& server,
                               std::function<double()> draw)
    : loop_(loop), clock_(clock), config_(config), server_(server), draw_(std::move(draw)), cancel_timer_(loop) {}

void ServerReporter::job_taken(const Job& job) {
    job_id_ = job.id;
    queue_ = job.queue;
    webhook_ = job.webhook;
    output_ = std::make_unique<LogUploader>(loop_, clock_, server_, LogSeries::output, job_id_, draw_);
    serial_ = std::make_unique<LogUploader>(loop_, clock_, server_, LogSeries::serial, job_id_, draw_);
    event("job_start", MaskSet::none()->mask(config_.server_address + "/jobs/" + job_id_));
    insist(status_tries, "tell the server of the job in hand", [&] { return server_.post_agent_job(job_id_); });
}

void ServerReporter::phase_entered(Phase phase) {
    const auto name = name_of(phase);
    look_for_orders();
    const std::string comment = orders_ ? orders_->comment : "";
    insist(status_tries, "post the job's state", [&] { return server_.post_job_state(job_id_, name); });
    insist(status_tries, "post the agent's state", [&] { return server_.post_agent_state(name, comment); });
    event(std::string(name) + "_start", {});
}

void ServerReporter::look_for_orders() {
    auto found = server_.read_agent();
    if (found && is_order(found->state)) orders_ = std::move(*found);
}

void ServerReporter::output(Phase phase, const MaskedChunk& text) {
    output_->add(phase, text);
}
void ServerReporter::serial(Phase phase, const MaskedChunk& text) {
    serial_->add(phase, text);
}
bool ServerReporter::is_full() const {
    return output_->is_full();
}
void ServerReporter::on_room(std::function<void()> handler) {
    output_->on_room(std::move(handler));
}

void ServerReporter::flush() {
    for (auto* series : {output_.get(), serial_.get()}) {
        if (auto flushed = series->flush(hurried_ ? hurried_flush_limit : flush_limit); !flushed)
            log_error(flushed.error().message());
    }
}

void ServerReporter::device_info(const MaskedJson& info) {
    insist(status_tries, "post the device info", [&] { return server_.post_device_info(job_id_, info); });
}

void ServerReporter::phase_ran(Phase /*phase*/, const PhaseStatus& status) {
    flush();
    insist(status_tries, "post the phases' exit codes", [&] { return server_.post_status(job_id_, status); });
}

void ServerReporter::event(std::string_view name, const MaskedChunk& detail) {
    if (webhook_.empty()) return;
    events_.push_back({std::string(name), iso8601(clock_.wall_time()), detail});
    if (events_are_refused_) return;
    if (auto posted = server_.post_events(job_id_, queue_, webhook_, events_); !posted) {
        events_are_refused_ = true;
        log_warning("no more events for job " + job_id_ + ": " + posted.error().message());
    }
}

void ServerReporter::provision_log(int exit_code, const MaskedChunk& detail) {
    if (auto posted = server_.post_provision_log(job_id_, exit_code, detail); !posted) {
        log_warning("can't post the provision log: " + posted.error().message());
    }
}

void ServerReporter::recovery_failed(const std::string& comment) {
    insist(status_tries, "take the agent offline", [&] { return server_.post_agent_state("offline", comment); });
}

void ServerReporter::artifacts(const std::filesystem::path& archive) {
    insist(status_tries, "upload the artifacts", [&] { return server_.post_artifacts(job_id_, archive); });
}

void ServerReporter::job_finished(const PhaseStatus& status, bool cancelled) {
    flush();
    insist(outcome_tries, "post the job's outcome",
           [&] { return server_.post_outcome(job_id_, status, cancelled ? "cancelled" : "complete"); });
    const bool there =
        insist(status_tries, "tell the server that no job is in hand", [&] { return server_.post_agent_job(""); });
    if (there) look_for_orders();  // those that came during the last phase and cleanup
    unwatch();
}

bool ServerReporter::is_cancelled() {
    const auto state = server_.read_job_state(job_id_);
    if (!state) log_warning("can't ask whether the job was cancelled: " + state.error().message());
    return state && *state == "cancelled";
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
    const auto asked_at = clock_.now();
    server_.read_job_state(job_id_, [this, asked_at, alive = std::weak_ptr(alive_)](const Result<std::string>& state) {
        if (alive.expired() || !on_cancel_) return;
        if (state && *state == "cancelled") return std::exchange(on_cancel_, nullptr)();
        const auto took = std::chrono::ceil<milliseconds>(clock_.now() - asked_at);
        ask_after(std::max(cancel_pause, took * cancel_pause_factor));
    });
}

void ServerReporter::wait(milliseconds time) {
    bool over = false;
    Timer timer(loop_);
    timer.start(time, [&] { over = true; });
    loop_.run_until([&] { return over || hurried_; });
}

bool ServerReporter::insist(int tries, const std::string& what, const std::function<Result<void>()>& call) {
    Backoff backoff(milliseconds(300), std::chrono::seconds(15), draw_);
    for (int left = tries; left > 0; --left) {
        const auto done = call();
        if (done) return true;
        const bool again = left > 1 && !hurried_;
        log_warning("can't " + what + (again ? ", trying again: " : ": ") + done.error().message());
        if (!again) break;
        wait(backoff.next());
    }
    return false;
}

}  // namespace trebuchet
