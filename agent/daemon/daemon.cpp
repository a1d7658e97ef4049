#include "agent/daemon/daemon.hpp"

#include "agent/daemon/server_reporter.hpp"
#include "common/base/backoff.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

/// Advertising refreshes a time stamp on the server; the reference does it at each poll.
constexpr std::chrono::seconds advertise_pause{60};
/// A server that comes back is found within so long.
constexpr std::chrono::seconds longest_pause{60};

/// With this the reference agent goes offline in order to be started again: it is no order of an administrator's.
constexpr std::string_view reference_restart = "Restart signal detected from supervisor process";

bool keeps_away(std::string_view state) {
    return state == "offline" || state == "maintenance";
}

}  // namespace

Daemon::Daemon(EventLoop& loop, const Clock& clock, const Config& config, JobServer& server,
               std::function<double()> draw)
    : loop_(loop), clock_(clock), config_(config), server_(server), draw_(std::move(draw)) {}

void Daemon::stop() {
    stopping_ = true;
    if (running_ != nullptr) running_->stop();
}

DaemonEnd Daemon::run(const std::filesystem::path& secret_base) {
    Backoff backoff(config_.polling_interval, longest_pause, draw_);
    while (!stopping_) {
        if (!introduced_) introduce();
        milliseconds pause = config_.polling_interval;
        if (introduced_) {
            if (ask_for_orders() == Orders::work && !work(secret_base)) introduced_ = false;
            if (record_.state == "restart") return DaemonEnd::restart;
        }
        if (introduced_) {
            backoff.reset();
        } else {
            pause = backoff.next();
        }
        if (!stopping_) sleep(pause);
    }
    return DaemonEnd::stopped;
}

void Daemon::introduce() {
    const auto found = server_.read_agent();
    if (!found) {
        log_warning("can't reach the server: " + found.error().message());
        return;
    }
    record_ = *found;
    if (!keeps_away(record_.state) || record_.comment == reference_restart) {
        record_.state = "waiting";
        record_.comment.clear();
    }
    advertised_at_.reset();
    auto done = server_.post_agent_state(record_.state, record_.comment);
    if (done) done = server_.advertise();
    if (done) done = server_.register_agent();
    if (!done) {
        log_warning("can't register with the server: " + done.error().message());
        return;
    }
    advertised_at_ = clock_.now();
    introduced_ = true;
    log_info("registered as " + config_.agent_id + " at " + config_.server_address + ", " + record_.state);
}

Daemon::Orders Daemon::ask_for_orders() {
    const auto found = server_.read_agent();
    if (!found) {
        log_warning("can't ask the server for this agent's state: " + found.error().message());
        return Orders::stay_away;
    }
    if (found->state.empty()) {
        log_info("the server does not know this agent any more: registering again");
        introduced_ = false;
        return Orders::stay_away;
    }
    if (found->state != record_.state) log_info("the server has this agent as " + found->state);
    record_ = *found;
    if (record_.state == "restart") {
        log_info("restarting, as an administrator asked");
        post_state("restart", record_.comment);
        return Orders::stay_away;
    }
    return keeps_away(record_.state) ? Orders::stay_away : Orders::work;
}

bool Daemon::work(const std::filesystem::path& secret_base) {
    while (!stopping_) {
        advertise_if_due();
        auto document = server_.take_job(queues_to_poll());
        if (!document) {
            log_warning("can't ask for a job: " + document.error().message());
            return false;
        }
        if (!*document) return true;
        run_job(std::move(**document), secret_base);
        if (stopping_ || record_.state != "waiting") return true;
        if (ask_for_orders() != Orders::work) return true;
    }
    return true;
}

void Daemon::run_job(WipedString document, const std::filesystem::path& secret_base) {
    auto job = parse_job(document);
    if (!job) return report_unreadable(document, job.error());
    document.clear();
    document.shrink_to_fit();
    const auto masks = MaskSet::build(job->secrets(), config_.trebuchet.mask);
    if (!masks) {
        report_unreadable(job->document, masks.error());
        return;
    }
    set_log_masks(*masks);
    for (const auto& name : (*masks)->too_short()) log_warning("the value of " + name + " is too short to be masked");
    log_info("running job " + job->id);
    ServerReporter reporter(loop_, clock_, config_, server_, draw_);
    JobRunner runner(loop_, config_, reporter, *job, *masks);
    running_ = &runner;
    if (stopping_) runner.stop();  // told while the job was being taken
    const auto outcome = runner.run(secret_base);
    running_ = nullptr;
    set_log_masks(MaskSet::none());
    log_info("job " + job->id + " is done");
    if (outcome.recovery_failed) {
        post_state("offline", recovery_failed_comment(job->id));
    } else {
        obey(reporter.orders());
    }
}

void Daemon::report_unreadable(const WipedString& document, const Error& reason) {
    log_error("the server gave a job that can't be run: " + reason.message());
    Job job;
    job.id = job_id_of(document);
    if (job.id.empty()) return;
    ServerReporter reporter(loop_, clock_, config_, server_, draw_);
    reporter.job_taken(job);
    reporter.output(Phase::setup, MaskSet::none()->mask("ERROR: the job can't be run: " + reason.message() + "\n"));
    const PhaseStatus failed{{Phase::setup, 100}};
    reporter.phase_ran(Phase::setup, failed);
    reporter.job_finished(failed, false);
    obey(reporter.orders());
}

void Daemon::obey(const std::optional<AgentRecord>& orders) {
    if (orders) {
        post_state(orders->state, orders->comment);
    } else {
        post_state("waiting", "");
    }
}

void Daemon::post_state(std::string_view state, std::string_view comment) {
    record_.state = state;
    record_.comment = comment;
    if (auto posted = server_.post_agent_state(state, comment); !posted) {
        log_warning("can't post the agent's state: " + posted.error().message());
    }
}

std::vector<std::string> Daemon::queues_to_poll() const {
    std::vector<std::string> restricted;
    for (const auto& queue : config_.job_queues) {
        const auto entry = record_.restricted_to.find(queue);
        if (entry != record_.restricted_to.end() && !entry->second.empty()) restricted.push_back(queue);
    }
    return restricted.empty() ? config_.job_queues : restricted;
}

void Daemon::advertise_if_due() {
    if (advertised_at_ && clock_.now() - *advertised_at_ < advertise_pause) return;
    advertised_at_ = clock_.now();
    if (auto done = server_.advertise(); !done) log_warning("can't advertise queues: " + done.error().message());
}

void Daemon::sleep(milliseconds time) {
    bool over = false;
    Timer timer(loop_);
    timer.start(time, [&] { over = true; });
    loop_.run_until([&] { return over || stopping_; });
}

}  // namespace trebuchet
