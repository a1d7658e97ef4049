#include "agent/daemon/job_session.hpp"

#include "agent/daemon/job_grants.hpp"
#include "agent/daemon/queue_restriction.hpp"
#include "agent/daemon/server_reporter.hpp"
#include "agent/daemon/withheld_job.hpp"
#include "agent/job/exit_codes.hpp"
#include "agent/job/job_step.hpp"
#include "agent/metrics/job_meter.hpp"
#include "agent/metrics/release_listener.hpp"
#include "common/event/beside.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <iterator>
#include <stdexcept>
#include <utility>
#include <variant>

namespace trebuchet {
namespace {

/// Without masks, nothing may be printed at all.
std::shared_ptr<const MaskSet> masks_between_jobs(const MaskOptions& options) {
    auto masks = MaskSet::build({}, options);
    if (!masks) throw std::runtime_error(masks.error().message());
    return *masks;
}

InterruptedJob interrupted_job(const JobRecord& record) {
    InterruptedJob job;
    job.entered = record.entered;
    job.running = record.running;
    job.status = record.status;
    job.cancelled = record.cancelled;
    job.has_run_folder = record.has_run_folder;
    for (const auto& event : record.events) job.events.push_back(event.name);
    return job;
}

}  // namespace

JobSession::JobSession(const DaemonParts& parts, AgentPosts& posts, UndeliveredResults& undelivered,
                       JobListener& listener)
    : parts_(parts),
      posts_(posts),
      undelivered_(undelivered),
      listener_(listener),
      idle_masks_(
          masks_between_jobs(parts.config.trebuchet.mask), {}, [](std::string_view) {}, parts.own_secrets),
      stop_timer_(parts.loop) {
    mask_own_secrets();
}

Result<std::shared_ptr<const MaskSet>> JobSession::build_masks(std::vector<NamedSecret> secrets,
                                                               const MaskOptions& options) const {
    auto own = parts_.own_secrets->all();
    std::move(own.begin(), own.end(), std::back_inserter(secrets));
    return MaskSet::build(std::move(secrets), options);
}

void JobSession::stop() {
    stopping_ = true;
    if (running_ != nullptr) start_to_stop();
}

void JobSession::stop_now() {
    stopping_ = true;
    stopping_now_ = true;
    stop_timer_.stop();
    if (ending_logins_ != nullptr) ending_logins_->stop_now();
    if (running_ != nullptr) running_->stop_now();
}

void JobSession::start_to_stop() {
    if (parts_.config.trebuchet.drain == Drain::finish) {
        log_info("stopping when the running job has finished");
        return;
    }
    stop_timer_.start(parts_.config.trebuchet.stop_grace, [this] {
        if (running_ != nullptr) running_->stop();
    });
}

std::optional<SessionEnd> JobSession::run(TakenJob taken) {
    const auto* too_long = std::get_if<TooLongJob>(&taken);
    const auto id = too_long != nullptr ? too_long->id : job_id_of(std::get<WipedString>(taken));
    if (!is_job_id(id)) {
        log_error("the server sent a job without a valid id: dropping it; it cannot be reported as failed");
        parts_.metrics.job_started();
        return std::nullopt;
    }
    if (JobFolder::is_there(parts_.jobs(), id)) {
        log_error("job " + id + " is ignored: this agent took it before and has not delivered its result yet");
        return std::nullopt;
    }
    undelivered_.job_in_hand(id);
    JobFolder folder(parts_.loop, parts_.jobs(), id);
    parts_.metrics.job_started();
    if (too_long == nullptr) return run_document(std::get<WipedString>(std::move(taken)), folder);
    folder.commit(JournalEntry::taken(id, parts_.clock.wall_time()));
    const auto limit = std::to_string(too_long->limit >> 20);
    return report_unreadable(Error("the job is longer than the " + limit + " MiB that are accepted"), folder);
}

bool JobSession::mask_own_secrets() {
    const auto former = std::exchange(log_masks_, idle_masks_.current());
    set_log_masks(log_masks_);
    return log_masks_ != former;
}

void JobSession::report_lost(const std::string& id) {
    undelivered_.job_in_hand(id);
    JobFolder folder(parts_.loop, parts_.jobs(), id);
    parts_.metrics.job_started();
    folder.commit(JournalEntry::taken(id, parts_.clock.wall_time()));
    static_cast<void>(report_unreadable(
        Error("the server gave the job to this agent, but its answer with the job was lost"), folder));
}

SessionEnd JobSession::run_document(WipedString document, JobFolder& folder) {
    const auto id = folder.path().filename().string();
    RuntimeCopy copy(parts_.secret_base, id);
    auto options = parts_.config.trebuchet.mask;
    if (options.hash == MaskHash::keyed) options.key = std::make_shared<const SecretString>(draw_mask_key());
    if (parts_.config.trebuchet.job_file_secrets == JobFileSecrets::tmpfs) {
        const auto saved = copy.save(document, options.key ? options.key->reveal() : std::string_view());
        if (!saved) {
            log_warning("job " + id +
                        ": cannot keep its secrets in memory for the next start; after a crash, what it "
                        "leaves would be deleted unmasked: " +
                        saved.error().message());
        }
    }
    reached("job kept in memory");
    // From here on the job will be reported as ended, whatever happens.
    folder.commit(JournalEntry::taken(id, parts_.clock.wall_time()));
    reached("job noted");
    // Until a grant allows the job, also after a crash, its output stays here.
    const bool may_be_withheld = parts_.config.trebuchet.secrets.untrusted_logs == UntrustedLogs::withheld;
    if (may_be_withheld) folder.commit(JournalEntry::withheld());
    const auto refuse = [&](const Error& reason) {
        copy.wipe();
        return report_unreadable(reason, folder);
    };
    const auto job = parse_job(document, parts_.config.trebuchet.allow_secret_names);
    if (!job) return refuse(job.error());
    if (job->id != id) return refuse(Error("the job names two ids: " + id + " and " + job->id));
    reached("job parsed");
    document.clear();
    document.shrink_to_fit();
    const auto masks = build_masks(job->secrets(), options);
    if (!masks) {
        parts_.metrics.masks_failed();
        return refuse(masks.error());
    }
    folder.note(JournalEntry::read(*job, **masks));
    reached("masks built");
    for (const auto& name : (*masks)->too_short()) {
        log_warning("job " + id + ": the value of " + name + " is too short to be masked");
    }
    JobGrants grants(parts_, *job,
                     [&](const std::string& accessor) { folder.note_at_once(JournalEntry::logged_in(accessor)); });
    if (may_be_withheld) decide_on_output(grants.secrets(), folder);
    return run_ready({*job, *masks, folder, copy, grants.secrets(), grants.repository(), std::nullopt});
}

SessionEnd JobSession::resume(JobFolder& folder, bool may_clean_up, std::vector<Survivor> survivors) {
    RuntimeCopy copy(parts_.secret_base, folder.record().id);
    auto content = copy.read();
    auto job =
        content ? parse_job(content->document, parts_.config.trebuchet.allow_secret_names) : Result<Job>(fail(""));
    auto interrupted = interrupted_job(folder.record());
    interrupted.masks_are_whole = job.has_value() || !folder.record().has_secrets;
    interrupted.may_clean_up = may_clean_up;
    interrupted.survivors = std::move(survivors);
    if (!job) job = job_of(folder.record());
    auto options = parts_.config.trebuchet.mask;
    auto secrets = job->secrets();
    if (content) {
        interrupted.has_run_folder = interrupted.has_run_folder || content->has_run_folder;
        if (!content->key.empty()) options.key = std::make_shared<const SecretString>(std::move(content->key));
        std::move(content->added.begin(), content->added.end(), std::back_inserter(secrets));
    }
    auto masks = build_masks(std::move(secrets), options);
    if (!masks) {
        parts_.metrics.masks_failed();
        interrupted.masks_are_whole = false;
        masks = build_masks({}, options);
    }
    if (!masks) {
        copy.wipe();
        return report_unreadable(masks.error(), folder);
    }
    reached("masks built again");
    end_logins(*job, folder);
    auto end = run_ready({*job, *masks, folder, copy, nullptr, nullptr, std::move(interrupted)});
    copy.wipe();
    return end;
}

void JobSession::decide_on_output(const GrantedSecrets* granted, JobFolder& folder) const {
    if (granted != nullptr && granted->is_allowed_something()) return folder.commit(JournalEntry::not_withheld());
    const auto kept = WithheldJob::folder_of(parts_.state_base, folder.record().id);
    log_info("job " + folder.record().id + ": no grant allows it, so its output is not sent; it is in " +
             kept.string());
}

void JobSession::remove_old_output() {
    const auto now = parts_.clock.now();
    if (old_output_removed_at_ && now - *old_output_removed_at_ < std::chrono::hours(1)) return;
    old_output_removed_at_ = now;
    const auto keep = parts_.config.trebuchet.secrets.keep_logs;
    if (!is_folder(WithheldJob::all(parts_.state_base))) return;
    run_beside(parts_.loop, [&] { WithheldJob::remove_old(parts_.state_base, keep); });
}

void JobSession::end_logins(const Job& job, JobFolder& folder) {
    const auto accessors = folder.record().accessors;
    if (accessors.empty()) return;
    // A role may be bound to restricted queues.
    const bool needs_restriction = wants_restriction(parts_.config.trebuchet.secrets);
    const auto restriction = needs_restriction ? ask_restriction(parts_.server, job.queue) : QueueRestriction::unknown;
    const auto documents =
        parts_.documents({parts_.config.agent_id, job.queue, restriction, job.client_id, job.id},
                         [&](const std::string& accessor) { folder.note_at_once(JournalEntry::logged_in(accessor)); });
    ending_logins_ = documents.get();
    documents->end_logins(accessors);
    documents->end();
    ending_logins_ = nullptr;
    folder.note(JournalEntry::logged_out());
}

SessionEnd JobSession::run_ready(const Ready& ready) {
    const auto& id = ready.job.id;
    const std::string doing = (ready.interrupted ? "ending job " : "running job ") + id;
    set_log_masks(ready.masks);
    JobLogFields fields(id);
    log_info(doing);
    parts_.on_status(doing);
    ServerReporter reporter(parts_, posts_, ready.folder, ready.masks, [&] { ready.copy.wipe(); });
    const auto outcome = run_reported_to(reporter, ready, fields);
    mask_own_secrets();
    if (const auto problem = secret_memory_problem(); !problem.empty() && !std::exchange(told_of_memory_, true)) {
        log_warning(problem);
    }
    log_info("job " + id + " is done");
    reached("job done");
    release_job(reporter, ready.folder);
    return {id, outcome.offline_comment};
}

JobOutcome JobSession::run_reported_to(ServerReporter& reporter, const Ready& ready, JobLogFields& fields) {
    auto& metrics = parts_.metrics;
    JobMeter meter(metrics, parts_.clock);
    MeteredLog metered(reporter.log(), metrics);
    WatchedLog log(metered, *parts_.board);
    ReleaseListener release(parts_.loop, parts_.config, metrics);
    std::optional<WithheldJob> withheld;
    const auto kept = WithheldJob::folder_of(parts_.state_base, ready.job.id);
    if (ready.folder.record().is_withheld) withheld.emplace(reporter, reporter, log, kept);
    JobListener& reported = withheld ? static_cast<JobListener&>(*withheld) : reporter;
    JobListeners listeners{&meter, &fields, &listener_, parts_.board.get(), &reported};
    if (parts_.metrics_are_served) listeners.add(release);
    metrics.watch_upload_lag([&] { return reporter.log().lag(); });
    JobRunner runner({.loop = parts_.loop,
                      .config = parts_.config,
                      .job = ready.job,
                      .masks = ready.masks,
                      .secret_base = parts_.secret_base,
                      .log = withheld ? static_cast<LogSink&>(*withheld) : log,
                      .listeners = listeners,
                      .control = withheld ? static_cast<JobControl&>(*withheld) : reporter,
                      .phase_user = parts_.phase_user,
                      .archive_folder = withheld ? kept : ready.folder.path(),
                      .fetch_attachments = [&](const auto& file) { return reporter.fetch_attachments(file); },
                      .own_secrets = parts_.own_secrets,
                      .granted = ready.granted,
                      .repository = ready.repository,
                      .on_run_folder =
                          [&] {
                              ready.copy.note_run_folder();
                              ready.folder.note(JournalEntry::run_folder());
                          },
                      .on_mask_added =
                          [&](std::string_view value) {
                              ready.copy.add(value);
                              auto& folder = ready.folder;
                              if (!folder.record().has_secrets) folder.note_at_once(JournalEntry::mask_added());
                          }});
    running_ = &runner;
    // The agent may have been told to stop while it took the job.
    if (stopping_now_) {
        runner.stop_now();
    } else if (stopping_) {
        start_to_stop();
    }
    auto outcome = ready.interrupted ? runner.resume(*ready.interrupted) : runner.run();
    running_ = nullptr;
    if (withheld && !outcome.offline_comment.empty() && !outcome.recovery_failed) {
        outcome.offline_comment = withheld_comment();
    }
    stop_timer_.stop();
    metrics.doubtful_logs(reporter.log().doubtful());
    if (const auto used = std::chrono::duration_cast<std::chrono::milliseconds>(meter.cpu_time()); used.count() > 0) {
        log_info("job " + ready.job.id + ": its processes used " + std::to_string(used.count()) + " ms of CPU time");
    }
    metrics.watch_upload_lag(nullptr);
    return outcome;
}

void JobSession::release_job(ServerReporter& reporter, JobFolder& folder) {
    reporter.hold_until_kept([this] { return stopping_; });
    undelivered_.job_in_hand("");
    if (!reporter.is_delivered()) return undelivered_.look_now();
    folder.remove();
    reached("job folder removed");
}

SessionEnd JobSession::report_unreadable(const Error& reason, JobFolder& folder) {
    const auto job = job_of(folder.record());
    log_error("job " + job.id + ": cannot run, reporting it as failed: " + reason.message());
    parts_.metrics.job_failed(Phase::setup);
    ServerReporter reporter(parts_, posts_, folder, idle_masks_.current());
    reporter.job_taken(job);
    const auto text = idle_masks_.current()->mask("ERROR: the job cannot be run: " + reason.message() + "\n");
    reporter.log().output(Phase::setup, text);
    const PhaseStatus failed{{Phase::setup, could_not_start_code}};
    reporter.phase_ran(Phase::setup, failed);
    reporter.wait_for_log_upload();
    reporter.post_status(failed);
    reporter.deliver_outcome(failed, reporter.is_cancelled());
    release_job(reporter, folder);
    return {job.id};
}

}  // namespace trebuchet
