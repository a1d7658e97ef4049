#include "agent/daemon/recovery.hpp"

#include "agent/job/job_step.hpp"
#include "agent/job/phase_step.hpp"
#include "common/event/beside.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

// How a job ends after the agent was killed or the power was cut. Two things may be left of it: its folder on disk
// (journal, spools, artifacts; no secret) and its runtime copy in memory (the whole job, the key of its masks, values
// that its phases registered). A power cut leaves only the folder.
//
//  1. Folders that were being removed are removed.
//  2. A job was in hand if its journal has no decided outcome, or if it has a runtime copy but no folder yet.
//     A job with a decided outcome has ended; it is only delivered (UndeliveredResults).
//  3. Everything else in the runtime folder is wiped.
//  4. For each job in hand: the recovery is counted in its journal. After three that did not finish, cleanup is
//     skipped, because it may be what kills the agent.
//  5. The job's remaining processes are ended. They are recognised by pid, start time and boot, by the marker in their
//     environment, and by their cgroup where there is one; a pid alone may belong to another process by now.
//  6. The masks are built again from the runtime copy. Without it, files that could only be sent masked are deleted.
//  7. JobRunner::resume: the phase that ran is reported with exit code 247, cleanup runs, artifacts and outcome follow.
//     No phase runs again. The log goes on where the spool ends, so no byte is lost or sent twice (LogUploader).
//
// Example: killed while "test" ran, after provision ended with 0.
//     journal:  taken j1 · read · entered provision · starts · started · ran {provision: 0} · entered test · starts
//               (marker M, serial_end 120) · started (pid 77)
//     → processes with M and of supervisor 77 are ended
//     → "ERROR: the agent was interrupted …" in test's log; the serial log from byte 120 of the spool on
//     → status {provision: 0, test: 247}, cleanup runs, state "complete"; the folder is removed when all is delivered

namespace trebuchet {
namespace {

/// After this many recoveries that did not finish, a job's cleanup is skipped.
constexpr int most_recoveries = 3;
/// Beyond the grace: processes that KILL does not end are stuck in the kernel.
constexpr std::chrono::seconds kill_limit{10};

}  // namespace

void Recovery::run(const std::function<void(const SessionEnd&)>& on_ended,
                   const std::function<bool()>& is_stopping_now) {
    JobFolder::remove_leftovers(parts_.jobs());
    const auto in_hand = jobs_in_hand();
    wipe_leftover_secrets(parts_.secret_base, in_hand);
    for (const auto& id : in_hand) {
        if (is_stopping_now()) return;
        JobFolder folder(parts_.loop, parts_.jobs(), id);
        if (folder.record().id != id) {  // its journal is lost
            folder.note(JournalEntry::taken(id, parts_.clock.wall_time()));
        }
        on_ended(recover(folder));
    }
}

std::set<std::string> Recovery::jobs_in_hand() const {
    std::set<std::string> in_hand;
    for (const auto& id : JobFolder::all(parts_.jobs())) {
        if (!JobFolder(parts_.loop, parts_.jobs(), id).record().outcome) in_hand.insert(id);
    }
    // Taken, but the agent was killed before the job's journal began.
    for (const auto& id : RuntimeCopy::all(parts_.secret_base)) {
        if (is_job_id(id) && !is_folder(parts_.jobs() / id)) in_hand.insert(id);
    }
    return in_hand;
}

SessionEnd Recovery::recover(JobFolder& folder) {
    const auto id = folder.record().id;
    undelivered_.job_in_hand(id);
    log_warning("job " + id + " was in hand when the agent was interrupted: ending it");
    folder.commit(JournalEntry::recovers());
    reached("recovery begun");
    run_beside(parts_.loop, [&] { end_processes(folder.record()); });
    reached("left processes ended");
    return session_.resume(folder, folder.record().recoveries <= most_recoveries);
}

void Recovery::end_processes(const JobRecord& record) {
    const auto grace = parts_.config.trebuchet.kill_grace;
    auto left = record.processes;
    left.push_back({std::nullopt, "", job_cgroup(parts_.secret_base, record.id)});
    for (const auto& processes : left) {
        const auto ended = end_left_processes(processes, grace, grace + kill_limit);
        if (!ended) log_error("job " + record.id + ": can't end all processes that it left; going on without");
        if (ended.value_or(0) > 0) {
            log_warning("job " + record.id + ": ended processes that it had left: " + std::to_string(*ended));
        }
    }
}

}  // namespace trebuchet
