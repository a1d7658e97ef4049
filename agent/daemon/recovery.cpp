#include "agent/daemon/recovery.hpp"

#include "agent/job/job_step.hpp"
#include "agent/job/phase_step.hpp"
#include "common/event/beside.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"
#include "common/process/cgroup.hpp"

#include <utility>

// How a job ends after the agent was killed or the power was cut. Two things may be left of it: its folder on disk
// (journal, spools, artifacts; no secret) and its runtime copy in memory (the whole job, the key of its masks, values
// that its phases registered). A power cut leaves only the folder.
//
//  1. What can't be a job's folder is set aside. Folders that were being removed are removed, and cgroups of jobs that
//  have
//     ended.
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

using std::chrono::milliseconds;

/// After this many recoveries that did not finish, a job's cleanup is skipped.
constexpr int most_recoveries = 3;
/// Beyond the grace: processes that KILL does not end are stuck in the kernel.
constexpr std::chrono::seconds kill_limit{5};
constexpr std::chrono::seconds removal_limit{60};

}  // namespace

void Recovery::run(const std::function<void(const SessionEnd&)>& on_ended, const std::atomic<bool>& stopping_now) {
    JobFolder::set_aside_planted(parts_.jobs(), RuntimeCopy::all(parts_.secret_base));
    const auto in_hand = jobs_in_hand();
    run_beside(parts_.loop, [&] { remove_leftovers(in_hand, stopping_now); });
    for (const auto& id : in_hand) {
        if (stopping_now) return;
        JobFolder folder(parts_.loop, parts_.jobs(), id);
        if (folder.record().id != id) {  // its journal is lost
            folder.note(JournalEntry::taken(id, parts_.clock.wall_time()));
        }
        if (const auto end = recover(folder, stopping_now)) on_ended(*end);
    }
}

void Recovery::remove_leftovers(const std::set<std::string>& in_hand, const std::atomic<bool>& stopping_now) const {
    const RemoveLimits limits{removal_limit, &stopping_now};
    JobFolder::remove_leftovers(parts_.jobs(), limits);
    wipe_leftover_secrets(parts_.secret_base, in_hand);
    for (const auto& folder : {parts_.secret_base, parts_.config.execution_basedir}) {
        if (auto removed = remove_set_aside(folder, limits); !removed) log_warning(removed.error().message());
    }
    // Each job that is in hand ends its own processes.
    for (const auto& group : Cgroup::jobs(job_cgroups(parts_.secret_base))) {
        const auto id = group.substr(job_cgroups(parts_.secret_base).size());
        if (in_hand.contains(id)) continue;
        log_warning("the cgroup " + group + " is left over from job " + id + ": ending what is in it");
        const auto ended = end_left_processes({std::nullopt, "", group}, milliseconds(0), kill_limit, &stopping_now);
        if (!ended.all_ended) log_error("can't end all processes in the cgroup " + group);
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

std::optional<SessionEnd> Recovery::recover(JobFolder& folder, const std::atomic<bool>& stopping_now) {
    const auto id = folder.record().id;
    undelivered_.job_in_hand(id);
    log_warning("job " + id + " was in hand when the agent was interrupted: ending it");
    folder.commit(JournalEntry::recovers());
    reached("recovery begun");
    std::vector<Survivor> survivors;
    run_beside(parts_.loop, [&] { survivors = end_processes(folder.record(), stopping_now); });
    if (stopping_now) return std::nullopt;  // some may live
    reached("left processes ended");
    return session_.resume(folder, folder.record().recoveries <= most_recoveries, std::move(survivors));
}

std::vector<Survivor> Recovery::end_processes(const JobRecord& record, const std::atomic<bool>& stopping_now) const {
    const auto grace = parts_.config.trebuchet.kill_grace;
    auto left = record.processes;
    left.push_back({std::nullopt, "", job_cgroup(parts_.secret_base, record.id)});
    std::vector<Survivor> survivors;
    for (const auto& processes : left) {
        const auto ended = end_left_processes(processes, grace, grace + kill_limit, &stopping_now);
        if (stopping_now) break;
        if (!ended.all_ended) log_error("job " + record.id + ": can't end all processes that it left");
        survivors.insert(survivors.end(), ended.survivors.begin(), ended.survivors.end());
        if (ended.count > ended.survivors.size()) {
            log_warning("job " + record.id +
                        ": ended processes that it had left: " + std::to_string(ended.count - ended.survivors.size()));
        }
    }
    return survivors;
}

}  // namespace trebuchet
