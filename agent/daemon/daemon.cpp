#include "agent/daemon/daemon.hpp"

#include "agent/api/call_policy.hpp"
#include "agent/daemon/recovery.hpp"
#include "agent/job/job_step.hpp"
#include "common/base/backoff.hpp"
#include "common/base/free_memory.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <utility>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

/// Advertising refreshes a time stamp on the server. The reference agent does it at each poll.
constexpr std::chrono::seconds advertise_pause{60};
/// The server forgets an agent after seven days without a sign of life.
constexpr std::chrono::hours heartbeat{24};
/// Comments that the agent itself wrote start with this.
const std::string held_back_comment = "No jobs are taken: ";

}  // namespace

Daemon::Daemon(DaemonParts parts)
    : parts_(std::move(parts)),
      undelivered_(
          {parts_.loop, parts_.clock, parts_.config, parts_.server, parts_.draw, parts_.own_secrets}, parts_.jobs(),
          [this] { parts_.metrics.result_given_up(); },
          [this] { return !held_back_ || held_back_->by != Guard::clock; }),
      health_(parts_, [this] { return stopping_; }),
      host_(parts_, health_),
      posts_(parts_, orders_),
      session_(parts_, posts_, undelivered_, health_) {}

void Daemon::stop() {
    if (std::exchange(stopping_, true)) return stop_now();
    session_.stop();
}

void Daemon::stop_now() {
    stopping_ = true;
    stopping_now_ = true;
    parts_.server.stop_now();
    session_.stop_now();
}

void Daemon::restart_when_idle() {
    orders_.restart_by_signal();
}

void Daemon::reload_when_idle() {
    reload_wanted_ = true;
}

DaemonEnd Daemon::run() {
    Recovery(parts_, undelivered_, session_)
        .run(
            [this](const SessionEnd& job) {
                posts_.finish();
                if (!job.offline_comment.empty()) device_is_lost(job.offline_comment);
            },
            stopping_now_);
    Backoff backoff(parts_.config.polling_interval, policy_of(Call::take_job).longest_wait, parts_.draw);
    while (!stopping_) {
        host_.refresh();
        if (!introduced_ && !is_wanted_elsewhere()) introduce();
        if (session_.mask_own_secrets()) has_idle_memory_ = true;
        milliseconds pause = parts_.config.polling_interval;
        if (orders_.standing()) obey_standing_order();
        if (reload_wanted_ && !end_) end_ = DaemonEnd::reload;
        if (end_) return *end_;
        session_.remove_old_output();
        if (introduced_) undelivered_.deliver_if_due();  // even while away from work
        if (introduced_ && ask_for_orders() == Posture::work && !work()) introduced_ = false;
        if (end_) return *end_;
        if (introduced_) {
            backoff.reset();
        } else {
            pause = backoff.next();
        }
        if (std::exchange(has_idle_memory_, false)) return_free_memory();
        if (!is_wanted_elsewhere()) sleep(pause);
    }
    return DaemonEnd::stopped;
}

void Daemon::introduce() {
    reached("agent introduces itself");
    const auto found = parts_.server.read_agent();
    if (!found) {
        parts_.metrics.server_failed();
        log_warning("cannot reach the server: " + found.error().message());
        parts_.on_status("cannot reach the server");
        return;
    }
    record_ = *found;
    if (const auto id = lost_job(); !id) {
        log_warning("cannot ask for the state of a job that may be lost: " + id.error().message());
        return parts_.on_status("cannot reach the server");
    } else if (*id) {
        session_.report_lost(**id);
        posts_.finish();
    }
    const auto order = with_host_order(orders_.at_start(*found), record_);
    if (order == Order::work) record_.comment.clear();
    record_.state = state_of(order);
    advertised_at_.reset();
    AgentPost introduction{record_.state, record_.comment};
    if (!record_.job_id.empty()) introduction.job_id = "";  // left over from a killed agent
    auto done = parts_.server.post_agent_state(introduction);
    if (done) done = parts_.server.advertise();
    if (done) done = parts_.server.register_agent();
    if (!done) {
        parts_.metrics.server_failed();
        log_warning("cannot register with the server: " + done.error().message());
        parts_.on_status("cannot register with the server");
        return;
    }
    advertised_at_ = parts_.clock.now();
    state_posted_at_ = parts_.clock.wall_time();
    reached("agent registered");
    introduced_ = true;
    parts_.metrics.server_answered();
    parts_.metrics.state_is(record_.state);
    parts_.board->state_is(record_.state, mask_for_log(record_.comment));
    log_info("registered as " + parts_.config.agent_id + " at " + parts_.config.server_address + ", " + record_.state);
    parts_.on_status(record_.state);
}

Daemon::Posture Daemon::ask_for_orders() {
    auto found = parts_.server.read_agent();
    if (!found) {
        parts_.metrics.server_failed();
        parts_.metrics.held_back(parts_.guards());  // for example because the server refuses the token
        log_warning("cannot ask the server for this agent's state: " + found.error().message());
        parts_.on_status("cannot reach the server");
        return Posture::stay_away;
    }
    if (found->state.empty()) {
        log_info("the server does not know this agent any more: registering again");
        introduced_ = false;
        return Posture::stay_away;
    }
    parts_.metrics.server_answered();
    const auto by_server = orders_.read(*found);
    const auto shown = found->comment;
    const auto order = with_host_order(by_server, *found);
    const auto wanted = state_of(order);
    if (wanted != record_.state && order == by_server) {
        log_info("the server set this agent to " + std::string(wanted));
    }
    record_ = *found;
    if (order == Order::restart) return obey(order, found->comment);
    const auto now = parts_.clock.wall_time();
    const auto heard_at = found->updated_at.value_or(state_posted_at_.value_or(now));
    if (wanted != found->state || (order != Order::work && shown != found->comment)) {
        post_state(wanted, order == Order::work ? "" : found->comment);
    } else if (now - heard_at >= heartbeat && now - state_posted_at_.value_or(heard_at) >= heartbeat / 24) {
        post_state(wanted, found->comment);
    }
    show_state();
    parts_.on_status(record_.state);
    return order == Order::work ? Posture::work : Posture::stay_away;
}

Order Daemon::with_host_order(Order by_server, AgentRecord& found) {
    const bool is_ours = by_server == Order::maintenance && found.mode != state_of(Order::maintenance) &&
                         HostMaintenance::is_own_comment(found.comment);
    if (by_server != Order::work && !is_ours) return by_server;
    if (is_ours) host_.seen_at_server(found.comment);
    if (found.state == state_of(Order::work)) host_.free_at_server();
    const auto comment = host_.comment();
    if (is_ours || !comment.empty()) found.comment = comment;
    return comment.empty() ? Order::work : Order::maintenance;
}

Result<std::optional<std::string>> Daemon::lost_job() const {
    const auto& id = record_.job_id;
    if (!is_job_id(id)) return std::nullopt;
    if (is_folder(parts_.jobs() / id) || is_folder(parts_.config.results_basedir / id)) return std::nullopt;
    const auto state = parts_.server.read_job_state(id);
    if (!state) return fail(state.error());
    // Nothing is left here of a delivered job, but the server's record may still name it.
    if (is_final(*state)) return std::nullopt;
    return id;
}

Daemon::Posture Daemon::obey(Order order, const std::string& comment, std::optional<std::string> job_id) {
    post_state(state_of(order), comment, std::move(job_id));
    parts_.on_status(record_.state);
    if (order == Order::work) return Posture::work;
    if (order != Order::restart) return Posture::stay_away;
    log_info("exiting to be restarted" + (comment.empty() ? "" : ": " + comment));
    end_ = DaemonEnd::restart;
    return Posture::stay_away;
}

void Daemon::device_is_lost(const std::string& comment) {
    const auto order = orders_.take_standing();
    post_state("offline", comment, "");
    if (order && order->order == Order::restart) end_ = DaemonEnd::restart;  // it starts again as offline
}

bool Daemon::job_ended(const SessionEnd& job) {
    posts_.finish();
    if (!job.offline_comment.empty()) {
        device_is_lost(job.offline_comment);
        return false;
    }
    const auto found = parts_.server.read_agent();  // orders that came during the last phase and cleanup
    if (found) orders_.note(*found);
    if (orders_.standing()) {
        obey_standing_order("");
        return false;
    }
    if (found) record_ = *found;
    host_.refresh();
    const auto comment = host_.comment();
    post_state(comment.empty() ? "waiting" : "maintenance", comment, "");
    parts_.on_status(record_.state);
    reached("agent waits again");
    return found && !found->state.empty();
}

void Daemon::obey_standing_order(std::optional<std::string> job_id) {
    auto order = *orders_.take_standing();
    if (orders_.restart_is_signalled()) {
        end_ = DaemonEnd::restart;
        // If an administrator took the agent offline, it must still be offline after the restart.
        const auto found = parts_.server.read_agent();
        const auto wanted = found ? orders_.read(*found) : Order::work;
        if (wanted == Order::offline || wanted == Order::maintenance) order = {wanted, found->comment};
        if (order.order != Order::restart) log_info("exiting to be restarted: " + std::string(state_of(order.order)));
    }
    obey(order.order, order.comment, std::move(job_id));
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
            log_warning("cannot ask for a job: " + taken.error().message());
            parts_.on_status("cannot ask the server for a job");
            return false;
        }
        if (!*taken) return true;
        reached("job arrived");
        const auto job = session_.run(std::move(**taken));
        has_idle_memory_ = true;
        if (!job) return true;  // ask again after the pause: the server may give the same job again
        const bool knows_orders = job_ended(*job);
        if (end_ || record_.state != "waiting" || is_wanted_elsewhere()) return true;
        if (!knows_orders && ask_for_orders() != Posture::work) return true;
    }
    return true;
}

bool Daemon::is_held_back() {
    const auto now = parts_.guards();
    parts_.metrics.held_back(now);
    if (now && (!held_back_ || held_back_->by != now->by)) log_warning("no jobs are taken: " + now->reason);
    if (held_back_ && !now) log_info("jobs are taken again");
    if (!now || !held_back_ || held_back_->by != now->by) held_back_ = now;
    if (now) parts_.on_status("no jobs are taken: " + now->reason);
    // Do not replace an administrator's comment.
    const bool is_ours = record_.comment.empty() || record_.comment.starts_with(held_back_comment);
    const auto comment = held_back_ ? held_back_comment + held_back_->reason : "";
    if (is_ours && record_.comment != comment) post_state("waiting", comment);
    return now.has_value();
}

void Daemon::post_state(std::string_view state, std::string_view comment, std::optional<std::string> job_id) {
    record_.state = state;
    record_.comment = comment;
    show_state();
    auto posted = parts_.server.post_agent_state({record_.state, record_.comment, std::move(job_id)});
    if (!posted) log_warning("cannot post the agent's state: " + posted.error().message());
    if (posted) state_posted_at_ = parts_.clock.wall_time();
}

void Daemon::show_state() const {
    parts_.metrics.state_is(record_.state);
    parts_.board->state_is(record_.state, mask_for_log(record_.comment));
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
    if (auto done = parts_.server.advertise(); !done) log_warning("cannot advertise queues: " + done.error().message());
}

void Daemon::sleep(milliseconds time) {
    parts_.loop.wait_for(time, [&] { return is_wanted_elsewhere(); });
}

}  // namespace trebuchet
