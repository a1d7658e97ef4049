#include "agent/daemon/daemon.hpp"

#include "agent/api/call_policy.hpp"
#include "agent/daemon/server_reporter.hpp"
#include "agent/job/job_step.hpp"
#include "agent/metrics/metered_reporter.hpp"
#include "agent/metrics/release_reporter.hpp"
#include "common/base/backoff.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

/// Advertising refreshes a time stamp on the server; the reference does it at each poll.
constexpr std::chrono::seconds advertise_pause{60};
/// An agent from which the server hears nothing for seven days is forgotten.
constexpr std::chrono::hours heartbeat{24};
/// What begins with this, the agent wrote.
const std::string held_back_comment = "No jobs are taken: ";

}  // namespace

Daemon::Daemon(DaemonParts parts)
    : parts_(std::move(parts)),
      undelivered_(parts_.loop, parts_.config, parts_.server, parts_.clock, parts_.draw, parts_.jobs()),
      idle_masks_(MaskSet::build({}, parts_.config.trebuchet.mask).value_or(MaskSet::none())),
      stop_timer_(parts_.loop) {
    set_log_masks(idle_masks_);
}

void Daemon::stop() {
    if (std::exchange(stopping_, true)) {
        at_once_ = true;
        parts_.server.give_up();
        if (running_ != nullptr) running_->kill();
        return;
    }
    if (running_ != nullptr) start_to_stop_job();
}

void Daemon::start_to_stop_job() {
    if (parts_.config.trebuchet.drain == Drain::finish) {
        log_info("the job in hand is finished first");
        return;
    }
    stop_timer_.start(parts_.config.trebuchet.stop_grace, [this] {
        if (running_ != nullptr) running_->stop();
    });
}

void Daemon::restart_when_idle() {
    orders_.restart_by_signal();
}

void Daemon::reload_when_idle() {
    reload_wanted_ = true;
}

DaemonEnd Daemon::run() {
    undelivered_.on_given_up = [this] { parts_.metrics.result_given_up(); };
    recover_all();
    Backoff backoff(parts_.config.polling_interval, policy_of(Call::take_job).longest_wait, parts_.draw);
    while (!stopping_) {
        if (!introduced_ && !is_wanted_elsewhere()) introduce();
        milliseconds pause = parts_.config.polling_interval;
        if (orders_.standing()) obey_standing_order();
        if (reload_wanted_ && !end_) end_ = DaemonEnd::reload;
        if (end_) return *end_;
        if (introduced_) undelivered_.deliver_if_due();  // away from work as well
        if (introduced_ && ask_for_orders() == Posture::work && !work()) introduced_ = false;
        if (end_) return *end_;
        if (introduced_) {
            backoff.reset();
        } else {
            pause = backoff.next();
        }
        if (!is_wanted_elsewhere()) sleep(pause);
    }
    return DaemonEnd::stopped;
}

void Daemon::introduce() {
    reached("agent introduces itself");
    const auto found = parts_.server.read_agent();
    if (!found) {
        parts_.metrics.server_failed();
        log_warning("can't reach the server: " + found.error().message());
        on_status("the server can't be reached");
        return;
    }
    record_ = *found;
    const auto order = orders_.at_start(*found);
    if (order == Order::work) record_.comment.clear();
    record_.state = state_of(order);
    advertised_at_.reset();
    auto done = parts_.server.post_agent_state(record_.state, record_.comment);
    if (done) done = parts_.server.advertise();
    if (done) done = parts_.server.register_agent();
    // By an agent that was killed.
    if (done && !record_.job_id.empty()) done = parts_.server.post_agent_job("");
    if (!done) {
        parts_.metrics.server_failed();
        log_warning("can't register with the server: " + done.error().message());
        on_status("the server does not register this agent");
        return;
    }
    advertised_at_ = parts_.clock.now();
    state_posted_at_ = parts_.clock.wall_time();
    reached("agent registered");
    introduced_ = true;
    parts_.metrics.server_answered();
    parts_.metrics.state_is(record_.state);
    log_info("registered as " + parts_.config.agent_id + " at " + parts_.config.server_address + ", " + record_.state);
    on_status(record_.state);
}

Daemon::Posture Daemon::ask_for_orders() {
    const auto found = parts_.server.read_agent();
    if (!found) {
        parts_.metrics.server_failed();
        parts_.metrics.held_back(parts_.guards());  // such as by a token that the server refuses
        log_warning("can't ask the server for this agent's state: " + found.error().message());
        on_status("the server can't be reached");
        return Posture::stay_away;
    }
    if (found->state.empty()) {
        log_info("the server does not know this agent any more: registering again");
        introduced_ = false;
        return Posture::stay_away;
    }
    parts_.metrics.server_answered();
    const auto order = orders_.read(*found);
    const auto wanted = state_of(order);
    if (wanted != record_.state) log_info("the server has this agent as " + std::string(wanted));
    record_ = *found;
    if (order == Order::restart) return obey(order, found->comment);
    const auto now = parts_.clock.wall_time();
    const auto heard_at = found->updated_at.value_or(state_posted_at_.value_or(now));
    if (wanted != found->state) {
        post_state(wanted, order == Order::work ? "" : found->comment);
    } else if (now - heard_at >= heartbeat && now - state_posted_at_.value_or(heard_at) >= heartbeat / 24) {
        post_state(wanted, found->comment);
    }
    on_status(record_.state);
    return order == Order::work ? Posture::work : Posture::stay_away;
}

Daemon::Posture Daemon::obey(Order order, const std::string& comment) {
    post_state(state_of(order), comment);
    on_status(record_.state);
    if (order != Order::restart) return order == Order::work ? Posture::work : Posture::stay_away;
    log_info("ending, to be started again" + (comment.empty() ? "" : ": " + comment));
    end_ = DaemonEnd::restart;
    return Posture::leave;
}

void Daemon::end_job() {
    if (orders_.standing()) return obey_standing_order();
    post_state("waiting", "");
    reached("agent waits again");
}

void Daemon::obey_standing_order() {
    auto order = *orders_.take_standing();
    if (orders_.restart_is_signalled()) {
        end_ = DaemonEnd::restart;
        // Whoever took the agent away must find it away when it is back.
        const auto found = parts_.server.read_agent();
        const auto wanted = found ? orders_.read(*found) : Order::work;
        if (wanted == Order::offline || wanted == Order::maintenance) order = {wanted, found->comment};
        if (order.order != Order::restart)
            log_info("ending, to be started again: " + std::string(state_of(order.order)));
    }
    obey(order.order, order.comment);
}

bool Daemon::work() {
    while (!is_wanted_elsewhere()) {
        advertise_if_due();
        undelivered_.deliver_if_due();
        if (is_wanted_elsewhere()) return true;
        if (is_held_back()) return true;
        const auto asked_at = parts_.clock.now();
        reached("asking for a job");
        auto taken = parts_.server.take_job(queues_to_poll());
        if (taken) {
            parts_.metrics.polled(parts_.clock.now() - asked_at);
            parts_.metrics.server_answered();
        } else {
            parts_.metrics.server_failed();
            log_warning("can't ask for a job: " + taken.error().message());
            on_status("the server can't be asked for a job");
            return false;
        }
        if (!*taken) return true;
        reached("job arrived");
        run_job(std::move(**taken));
        if (end_ || record_.state != "waiting" || is_wanted_elsewhere()) return true;
        if (ask_for_orders() != Posture::work) return true;
    }
    return true;
}

bool Daemon::is_held_back() {
    const auto now = parts_.guards();
    parts_.metrics.held_back(now);
    if (now && (!held_back_ || held_back_->by != now->by)) log_warning("no jobs are taken: " + now->reason);
    if (held_back_ && !now) log_info("jobs are taken again");
    if (!now || !held_back_ || held_back_->by != now->by) held_back_ = now;
    if (now) on_status("no jobs are taken: " + now->reason);
    // Whatever an administrator wrote there stays.
    const bool is_ours = record_.comment.empty() || record_.comment.starts_with(held_back_comment);
    const auto comment = held_back_ ? held_back_comment + held_back_->reason : "";
    if (is_ours && record_.comment != comment) post_state("waiting", comment);
    return now.has_value();
}

void Daemon::run_job(TakenJob taken) {
    const auto* too_long = std::get_if<TooLongJob>(&taken);
    const auto id = too_long != nullptr ? too_long->id : job_id_of(std::get<WipedString>(taken));
    if (!is_job_id(id)) {
        log_error("the server gave a job without an id: nothing can be done about it");
        parts_.metrics.job_started();
        return;
    }
    if (is_folder(parts_.jobs() / id)) {
        log_error("job " + id + " is ignored: it was taken before, and its result is not delivered yet");
        return;
    }
    undelivered_.job_in_hand(id);
    JobFolder folder(parts_.loop, parts_.jobs(), id);
    parts_.metrics.job_started();
    if (too_long != nullptr) {
        folder.commit(JournalEntry::taken(id, parts_.clock.wall_time()));
        report_unreadable(
            Error("the job is longer than the " + std::to_string(too_long->limit >> 20) + " MiB that are accepted"),
            folder);
    } else {
        run_document(std::get<WipedString>(std::move(taken)), folder);
    }
}

void Daemon::run_document(WipedString document, JobFolder& folder) {
    const auto id = folder.path().filename().string();
    RuntimeCopy copy(parts_.secret_base, id);
    auto options = parts_.config.trebuchet.mask;
    if (options.hash == MaskHash::keyed) options.key = std::make_shared<const SecretString>(draw_mask_key());
    if (parts_.config.trebuchet.job_file_secrets == JobFileSecrets::tmpfs) {
        const auto saved = copy.save(document, options.key ? options.key->reveal() : std::string_view());
        if (!saved) log_warning("after a crash nothing of job " + id + " could be masked: " + saved.error().message());
    }
    reached("job kept in memory");
    // From here on the job has an end, whatever happens.
    folder.commit(JournalEntry::taken(id, parts_.clock.wall_time()));
    reached("job noted");
    auto job = parse_job(document);
    if (!job) {
        copy.wipe();
        return report_unreadable(job.error(), folder);
    }
    if (job->id != id) {
        copy.wipe();
        return report_unreadable(Error("the job names two ids: " + id + " and " + job->id), folder);
    }
    reached("job parsed");
    document.clear();
    document.shrink_to_fit();
    const auto masks = MaskSet::build(job->secrets(), options);
    if (!masks) {
        copy.wipe();
        return report_unreadable(masks.error(), folder);
    }
    folder.note(JournalEntry::read(*job, **masks));
    reached("masks built");
    for (const auto& name : (*masks)->too_short()) log_warning("the value of " + name + " is too short to be masked");
    run_job_with(*job, *masks, folder, copy, std::nullopt);
}

void Daemon::run_job_with(const Job& job, const std::shared_ptr<const MaskSet>& masks, JobFolder& folder,
                          RuntimeCopy& copy, const std::optional<JobRunner::Interrupted>& interrupted) {
    set_log_masks(masks);
    log_info((interrupted ? "ending job " : "running job ") + job.id);
    on_status((interrupted ? "ending job " : "running job ") + job.id);
    ServerReporter to_server(parts_, orders_, folder);
    to_server.on_decided = [&] { copy.wipe(); };
    ReleaseReporter with_release(to_server, parts_.loop, parts_.config, parts_.metrics);
    JobReporter& inner = parts_.metrics_are_served ? static_cast<JobReporter&>(with_release) : to_server;
    MeteredReporter reporter(inner, parts_.metrics, parts_.clock);
    parts_.metrics.watch_upload_lag([&] { return to_server.upload_lag(); });
    JobRunner runner(parts_.loop, parts_.config, reporter, job, masks);
    runner.fetch_attachments = [&](const std::filesystem::path& file) { return to_server.fetch_attachments(file); };
    runner.archive_folder = folder.path();
    runner.on_mask_added = [&](std::string_view value) {
        copy.add(value);
        if (!folder.record().has_secrets) folder.note_at_once(JournalEntry::mask_added());
    };
    running_ = &runner;
    if (at_once_) runner.kill();
    if (stopping_) start_to_stop_job();  // told while the job was being taken
    const auto outcome = interrupted ? runner.resume(parts_.secret_base, *interrupted) : runner.run(parts_.secret_base);
    running_ = nullptr;
    parts_.metrics.doubtful_logs(to_server.doubtful_logs());
    stop_timer_.stop();
    parts_.metrics.watch_upload_lag(nullptr);
    set_log_masks(idle_masks_);
    if (const auto problem = secret_memory_problem(); !problem.empty() && !std::exchange(told_of_memory_, true)) {
        log_warning(problem);
    }
    log_info("job " + job.id + " is done");
    reached("job done");
    let_go(to_server, folder);
    if (outcome.recovery_failed) {
        const auto order = orders_.take_standing();
        post_state("offline", recovery_failed_comment(job.id));
        if (order && order->order == Order::restart) end_ = DaemonEnd::restart;  // it comes back offline
    } else if (!interrupted) {
        end_job();
    }
}

void Daemon::let_go(ServerReporter& reporter, JobFolder& folder) {
    reporter.hold_until_kept([this] { return stopping_; });
    undelivered_.job_in_hand("");
    if (!reporter.is_delivered()) return undelivered_.look_now();
    folder.remove();
    reached("job folder removed");
}

void Daemon::report_unreadable(const Error& reason, JobFolder& folder) {
    log_error("the server gave a job that can't be run: " + reason.message());
    parts_.metrics.job_failed(Phase::setup);
    const auto job = job_of(folder.record());
    ServerReporter reporter(parts_, orders_, folder);
    reporter.job_taken(job);
    reporter.output(Phase::setup, idle_masks_->mask("ERROR: the job can't be run: " + reason.message() + "\n"));
    const PhaseStatus failed{{Phase::setup, 100}};
    reporter.phase_ran(Phase::setup, failed);
    reporter.job_finished(failed, reporter.is_cancelled());
    let_go(reporter, folder);
    end_job();
}

bool Daemon::post_state(std::string_view state, std::string_view comment) {
    record_.state = state;
    record_.comment = comment;
    parts_.metrics.state_is(state);
    auto posted = parts_.server.post_agent_state(state, comment);
    if (!posted) log_warning("can't post the agent's state: " + posted.error().message());
    if (posted) state_posted_at_ = parts_.clock.wall_time();
    return posted.has_value();
}

std::vector<std::string> Daemon::queues_to_poll() const {
    std::vector<std::string> restricted;
    for (const auto& queue : parts_.config.job_queues) {
        const auto entry = record_.restricted_to.find(queue);
        if (entry != record_.restricted_to.end() && !entry->second.empty()) restricted.push_back(queue);
    }
    return restricted.empty() ? parts_.config.job_queues : restricted;
}

void Daemon::advertise_if_due() {
    if (advertised_at_ && parts_.clock.now() - *advertised_at_ < advertise_pause) return;
    advertised_at_ = parts_.clock.now();
    if (auto done = parts_.server.advertise(); !done) log_warning("can't advertise queues: " + done.error().message());
}

void Daemon::sleep(milliseconds time) {
    bool over = false;
    Timer timer(parts_.loop);
    timer.start(time, [&] { over = true; });
    parts_.loop.run_until([&] { return over || is_wanted_elsewhere(); });
}

}  // namespace trebuchet
