#include "agent/job/job_runner.hpp"

#include "agent/job/exit_codes.hpp"
#include "agent/job/job_step.hpp"
#include "common/event/beside.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

namespace trebuchet {
namespace {

std::string name_of_event(const Interruption& interruption) {
    struct Name {
        std::string operator()(const GlobalTimeout&) const { return "global_timeout"; }
        std::string operator()(const OutputTimeout&) const { return "output_timeout"; }
        std::string operator()(const Cancelled&) const { return "cancelled"; }
        std::string operator()(const AgentStops&) const { return ""; }
        std::string operator()(const MaskingFailed&) const { return "masking_failed"; }
    };
    return std::visit(Name{}, interruption);
}

/// A job with this tag is refused if it would need secrets.
constexpr const char* no_secrets_tag = "TREBUCHET_NO_SECRETS";

/// Limits the removal of a run folder: a process that cannot be killed may write to it without end.
constexpr std::chrono::seconds removal_limit{60};
constexpr std::chrono::seconds kill_limit{5};
/// The same limit after stop_now().
constexpr std::chrono::milliseconds hurried_removal{500};

template <typename Reason>
bool was_ended_by(const std::optional<PhaseEnd>& end) {
    return end && end->interruption && std::holds_alternative<Reason>(*end->interruption);
}

}  // namespace

std::string recovery_failed_comment(const std::string& job_id) {
    return "Set to offline by agent. Recovery failed during job '" + job_id + "' execution.";
}

std::string cleanup_failed_comment(const std::string& job_id) {
    return "Set to offline by agent. Cleanup failed after job '" + job_id + "'.";
}

std::string survivors_comment(const std::string& job_id, const std::vector<Survivor>& survivors) {
    return "Set to offline by agent. These processes of job '" + job_id +
           "' could not be ended and may still use the device: " + describe(survivors);
}

JobRunner::JobRunner(JobParts parts)
    : job_(std::move(parts)),
      phases_(job_),
      attachments_(job_.parts),
      artifacts_(job_),
      removal_timer_(job_.parts.loop) {}

std::optional<ProcessUser> JobRunner::ids_of_phase_user() const {
    const auto& user = job_.parts.phase_user;
    return user ? std::optional(user->ids) : std::nullopt;
}

void JobRunner::stop() {
    job_.outcome.stopped = true;
    job_.parts.control.stop();
    phases_.stop();
}

void JobRunner::stop_now() {
    stopping_now_ = true;
    job_.outcome.stopped = true;
    job_.parts.control.stop_now();
    if (job_.parts.granted != nullptr) job_.parts.granted->stop_now();
    if (job_.parts.repository != nullptr) job_.parts.repository->stop_now();
    phases_.stop_now();
    attachments_.stop_now();
    artifacts_.stop_now();
    removal_timer_.start(hurried_removal, [this] { stop_removing_ = true; });
}

JobOutcome JobRunner::run() {
    job_.parts.listeners.tell(&JobListener::job_taken, job_.parts.job);
    reached("making the run folder");
    auto folder = RunFolder::make(job_.parts.config.execution_basedir, job_.parts.secret_base, job_.parts.job,
                                  job_.parts.on_run_folder, ids_of_phase_user());
    if (folder) {
        reached("run folder made");
        run_in(*folder);
    } else {
        job_.report_unable(folder.error());
    }
    job_.event("job_end", job_.end_reason);
    return finish(folder);
}

void JobRunner::run_in(RunFolder& folder) {
    auto& outcome = job_.outcome;
    auto ready = check_grants();
    if (ready && !outcome.stopped) ready = attachments_.run(folder);
    if (ready) run_main_phases(folder);
    if (!ready && !outcome.stopped) outcome.cancelled = job_.parts.control.is_cancelled();
    if (!ready && outcome.cancelled) job_.event("cancelled");
    if (!ready && !outcome.cancelled) job_.report_unable(ready.error());
    run_cleanup(folder);
    phases_.device_files().send_device_info(folder);  // the last phase may have written it
}

JobOutcome JobRunner::resume(const InterruptedJob& interrupted) {
    const auto& id = job_.parts.job.id;
    auto& outcome = job_.outcome;
    outcome.status = interrupted.status;
    outcome.cancelled = interrupted.cancelled;
    job_.last_phase = interrupted.last_phase();
    job_.parts.listeners.tell(&JobListener::job_resumed, job_.parts.job);
    const auto& parts = job_.parts;
    auto folder = interrupted.has_run_folder ? RunFolder::reopen(parts.config.execution_basedir, parts.secret_base,
                                                                 parts.job, ids_of_phase_user())
                                             : RunFolder::make(parts.config.execution_basedir, parts.secret_base,
                                                               parts.job, parts.on_run_folder, ids_of_phase_user());
    phases_.tell_survivors(interrupted.survivors);
    if (!folder) {
        job_.report_unable(folder.error());
    } else {
        InterruptionReport(job_, phases_, interrupted).run(*folder);
        const bool is_clean = interrupted.status.contains(Phase::cleanup);
        if (!is_clean && interrupted.may_clean_up) run_cleanup(*folder);
        if (!is_clean && !interrupted.may_clean_up) {
            log_error("job " + id + ": skipping cleanup after too many failed recoveries");
            cleanup_failed();
        }
        phases_.device_files().send_device_info(*folder);
    }
    outcome.recovery_failed = std::any_of(outcome.status.begin(), outcome.status.end(), [](const auto& ended) {
        return ended.first != Phase::cleanup && ended.second == recovery_failed_code;
    });
    if (outcome.recovery_failed) outcome.offline_comment = recovery_failed_comment(id);
    if (!interrupted.has_event("job_end")) job_.event("job_end", job_.end_reason);
    return finish(folder);
}

Result<void> JobRunner::check_grants() {
    const auto refusal = job_.parts.granted == nullptr ? "" : job_.parts.granted->refusal(job_);
    return refusal.empty() ? check_wants_no_secrets() : fail(refusal);
}

Result<void> JobRunner::check_wants_no_secrets() {
    const auto& [job, granted, repository] = std::tie(job_.parts.job, job_.parts.granted, job_.parts.repository);
    if (std::find(job.tags.begin(), job.tags.end(), no_secrets_tag) == job.tags.end()) return {};
    const auto refuse = [](const std::string& what) {
        return fail(std::string("it must not use secrets, as its tag ") + no_secrets_tag + " says, and " + what);
    };
    if (job.has_secrets()) return refuse("it has some itself");
    if (granted != nullptr && granted->gives_something()) return refuse("it asks the lab for some");
    if (repository == nullptr || !repository->concerns()) return {};
    job_.parts.control.watch_for_cancel([this] { job_.parts.repository->stop_now(); });
    const auto& values = repository->values("", job_);
    job_.parts.control.unwatch();
    if (!values.is_known) return refuse("the file of the tested repository cannot be read, so it may have some for it");
    return values.secrets.empty() ? Result<void>() : refuse("the tested repository has some for it");
}

JobOutcome JobRunner::finish(Result<RunFolder>& folder) {
    phases_.end_console();
    phases_.end_leftovers();
    if (job_.parts.granted != nullptr) job_.parts.granted->end();
    reached("leftovers ended");
    if (folder) {
        artifacts_.run(*folder);
    } else {
        job_.report_masks();
    }
    // Remove the folder before the end is reported, so that nobody who hears of the end still finds the folder.
    remove_rest(folder);
    reached("run folder removed");
    auto& outcome = job_.outcome;
    outcome.cancelled = outcome.cancelled || job_.parts.control.is_cancelled();
    if (const auto living = phases_.living_survivors(); !living.empty()) {
        job_.device_is_in_doubt(survivors_comment(job_.parts.job.id, living));
    }
    job_.parts.listeners.tell(&JobListener::job_finished, outcome.status, outcome.cancelled);
    job_.parts.control.deliver_outcome(outcome.status, outcome.cancelled);
    return outcome;
}

void JobRunner::remove_rest(Result<RunFolder>& folder) {
    EndedProcesses ended;
    run_beside(job_.parts.loop, [&] {
        // Processes that phases have put into other cgroups of the job.
        const auto cgroup = job_cgroup(job_.parts.secret_base, job_.parts.job.id);
        ended =
            end_left_processes({std::nullopt, "", cgroup}, std::chrono::milliseconds(0), kill_limit, &stop_removing_);
        if (!folder) return;
        const auto removed = folder->remove({removal_limit, &stop_removing_});
        if (!removed) log_warning(removed.error().message() + "; the next start of the agent tries again");
    });
    phases_.tell_survivors(ended.survivors);
}

void JobRunner::run_main_phases(RunFolder& folder) {
    for (const Phase phase : main_phases) {
        if (job_.outcome.stopped) {
            if (phases_.reason_to_skip(phase).empty()) return report_skipped_by_stop(phase);
            continue;
        }
        if (job_.outcome.cancelled || job_.parts.control.is_cancelled()) {
            job_.outcome.cancelled = true;
            return job_.event("cancelled");
        }
        job_.parts.listeners.tell(&JobListener::phase_entered, phase);
        const auto end = phases_.run(phase, folder);
        if (!end_main_phase(phase, end, folder)) return;
    }
}

void JobRunner::report_skipped_by_stop(Phase phase) {
    if (stop_ended_a_phase_) return;
    job_.write(phase, "ERROR: the agent is stopping: skipping this and later phases.\n");
    job_.end_reason = std::string(name_of(phase)) + "_fail";
    job_.phase_ended(phase, ended_by_agent_code);
}

void JobRunner::report_interruption(const Interruption& interruption) {
    const auto happened = name_of_event(interruption);
    if (!happened.empty()) job_.event(happened, describe(interruption));
}

bool JobRunner::end_main_phase(Phase phase, const std::optional<PhaseEnd>& end, RunFolder& folder) {
    const int code = end ? end->exit_code() : 0;
    job_.outcome.cancelled = job_.outcome.cancelled || was_ended_by<Cancelled>(end);
    stop_ended_a_phase_ = stop_ended_a_phase_ || was_ended_by<AgentStops>(end);
    if (end && end->interruption) report_interruption(*end->interruption);
    if (phase == Phase::allocate && end && code == 0) {
        phases_.device_files().send_device_info(folder);
        if (!job_.parts.control.is_cancelled()) job_.parts.control.wait_while_allocated();
    }
    std::string ending = std::string(name_of(phase)) + (code == 0 ? "_success" : "_fail");
    if (code == recovery_failed_code) {
        ending = "recovery_fail";
        job_.outcome.recovery_failed = true;
        job_.outcome.offline_comment = recovery_failed_comment(job_.parts.job.id);
        job_.parts.listeners.tell(&JobListener::recovery_failed, recovery_failed_comment(job_.parts.job.id));
    }
    job_.event(ending, code == 0 ? "" : folder.read_connector_error(phase));
    if (phase == Phase::provision) {
        job_.parts.listeners.tell(&JobListener::provision_log, code, job_.mask(ending));
    }
    const bool test_may_fail =
        phase == Phase::test && code != recovery_failed_code && !was_ended_by<MaskingFailed>(end);
    if (code == 0 || test_may_fail) return true;
    job_.end_reason = ending;
    return false;
}

void JobRunner::run_cleanup(RunFolder& folder) {
    if (stopping_now_) {
        log_warning("job " + job_.parts.job.id + ": skipping cleanup, because the agent stops now");
        return;
    }
    phases_.end_leftovers();  // they could disturb cleanup
    job_.event("cleanup_start");
    reached("starting cleanup");
    const auto end = phases_.run(Phase::cleanup, folder);
    const bool has_failed = end && end->exit_code() != 0;
    job_.event(has_failed ? "cleanup_fail" : "cleanup_success");
    if (has_failed && !stopping_now_) cleanup_failed();
    reached("cleanup done");
}

void JobRunner::cleanup_failed() {
    if (job_.parts.config.trebuchet.cleanup_failure == CleanupFailure::ignore) return;
    job_.device_is_in_doubt(cleanup_failed_comment(job_.parts.job.id));
}

}  // namespace trebuchet
