#include "agent/daemon/recovery.hpp"

#include "agent/job/job_step.hpp"
#include "agent/job/phase_step.hpp"
#include "common/event/beside.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"
#include "common/process/cgroup.hpp"

#include <utility>

// Ends a job after the agent was killed or the power was cut. Two things may be left of the job: its folder on disk
// (journal, spools, artifacts; no secrets), and its runtime copy in memory (the whole job, the key of its masks, and
// the values that its phases registered). After a power cut only the folder is left.
//
//  1. Set aside everything that cannot be a job's folder. Finish interrupted removals of folders. Kill and remove
//     cgroups of jobs that have ended.
//  2. A job was running if its journal has no decided outcome, or if it has a runtime copy but no folder yet. A job
//     with a decided outcome has ended; it is only delivered (UndeliveredResults).
//  3. Wipe everything else in the runtime folder.
//  4. For each job that was running: count the recovery in its journal. After three recoveries that did not finish,
//     skip cleanup, because it may be what kills the agent.
//  5. Kill the job's remaining processes. They are recognised by pid, start time and boot id, by the marker in their
//     environment, and by their cgroup, if any. A pid alone may belong to another process by now.
//  6. Build the masks again from the runtime copy. Without it, delete files that could only be sent masked.
//  7. JobRunner::resume: report the interrupted phase with exit code 247, run cleanup, send artifacts and outcome. No
//     other phase runs. The log continues where the spool ends, so no byte is lost or sent twice (LogUploader).
//
// Example: killed while "test" ran, after provision ended with 0.
//     journal:  taken j1 · read · entered provision · starts · started · ran {provision: 0} · entered test · starts
//               (marker M, serial_end 120) · started (pid 77)
//     → processes with marker M, and those of supervisor 77, are killed
//     → "ERROR: the agent was interrupted …" in test's log; the serial log continues at byte 120 of the spool
//     → status {provision: 0, test: 247}, cleanup runs, state "complete"; the folder is removed after delivery

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

/// After this many unfinished recoveries, the job's cleanup is skipped.
constexpr int most_recoveries = 3;
/// Time after the grace period: processes that KILL does not end are stuck in the kernel.
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
        if (folder.record().id != id) {  // its journal was lost
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
    // For each job that was running, recover() kills its processes.
    for (const auto& group : Cgroup::jobs(job_cgroups(parts_.secret_base))) {
        const auto id = group.substr(job_cgroups(parts_.secret_base).size());
        if (in_hand.contains(id)) continue;
        log_warning("the cgroup " + group + " is left over from job " + id + ": ending its processes");
        const auto ended = end_left_processes({std::nullopt, "", group}, milliseconds(0), kill_limit, &stopping_now);
        if (!ended.all_ended) log_error("cannot end all processes in the cgroup " + group);
    }
}

std::set<std::string> Recovery::jobs_in_hand() const {
    std::set<std::string> in_hand;
    for (const auto& id : JobFolder::all(parts_.jobs())) {
        if (!JobFolder(parts_.loop, parts_.jobs(), id).record().outcome) in_hand.insert(id);
    }
    // The agent took the job but was killed before the journal began.
    for (const auto& id : RuntimeCopy::all(parts_.secret_base)) {
        if (is_job_id(id) && !is_folder(parts_.jobs() / id)) in_hand.insert(id);
    }
    return in_hand;
}

std::optional<SessionEnd> Recovery::recover(JobFolder& folder, const std::atomic<bool>& stopping_now) {
    const auto id = folder.record().id;
    undelivered_.job_in_hand(id);
    log_warning("job " + id + " was running when the agent was interrupted: ending it");
    folder.commit(JournalEntry::recovers());
    reached("recovery begun");
    std::vector<Survivor> survivors;
    run_beside(parts_.loop, [&] { survivors = end_processes(folder.record(), stopping_now); });
    if (stopping_now) return std::nullopt;  // some processes may still live
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
        if (!ended.all_ended) log_error("job " + record.id + ": cannot end all processes that it left");
        survivors.insert(survivors.end(), ended.survivors.begin(), ended.survivors.end());
        if (ended.count > ended.survivors.size()) {
            log_warning("job " + record.id +
                        ": ended its remaining processes: " + std::to_string(ended.count - ended.survivors.size()));
        }
    }
    return survivors;
}

}  // namespace trebuchet
