#include "agent/daemon/daemon.hpp"
#include "agent/job/job_step.hpp"
#include "common/event/beside.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace trebuchet {
namespace {

/// After so many starts that did not get to its end, a job's cleanup is left out: it may be what stops them.
constexpr int most_recoveries = 3;
/// Beyond the grace: processes that KILL does not end are stuck in the kernel.
constexpr std::chrono::seconds kill_limit{10};

}  // namespace

void Daemon::recover_all() {
    JobFolder::remove_leftovers(parts_.jobs());
    std::set<std::string> in_hand;
    for (const auto& id : JobFolder::all(parts_.jobs())) {
        if (!JobFolder(parts_.loop, parts_.jobs(), id).record().outcome) in_hand.insert(id);
    }
    // Taken, but killed before its journal began.
    for (const auto& id : RuntimeCopy::all(parts_.secret_base)) {
        if (is_job_id(id) && !is_folder(parts_.jobs() / id)) in_hand.insert(id);
    }
    wipe_leftover_secrets(parts_.secret_base, in_hand);
    for (const auto& id : in_hand) {
        if (at_once_) return;
        JobFolder folder(parts_.loop, parts_.jobs(), id);
        if (folder.record().id != id) {  // its journal is lost
            folder.note(JournalEntry::taken(id, parts_.clock.wall_time()));
        }
        recover(folder);
    }
}

void Daemon::recover(JobFolder& folder) {
    const auto id = folder.record().id;
    undelivered_.job_in_hand(id);
    log_warning("job " + id + " was in hand when the agent was interrupted: ending it");
    folder.commit(JournalEntry::recovers());
    reached("recovery begun");
    run_beside(parts_.loop, [&] {
        const auto grace = parts_.config.trebuchet.kill_grace;
        for (const auto& processes : folder.record().processes) {
            const auto ended = end_left_processes(processes, grace, grace + kill_limit);
            if (!ended) log_error("processes of job " + id + " can't be ended");
            if (ended.value_or(0) > 0)
                log_warning("ended processes that job " + id + " had left: " + std::to_string(*ended));
        }
    });
    reached("left processes ended");

    RuntimeCopy copy(parts_.secret_base, id);
    auto content = copy.read();
    auto job = content ? parse_job(content->document) : Result<Job>(fail(""));
    JobRunner::Interrupted interrupted;
    interrupted.record = folder.record();
    interrupted.masks_are_whole = job.has_value() || !folder.record().has_secrets;
    interrupted.may_clean_up = folder.record().recoveries <= most_recoveries;
    if (!job) job = job_of(folder.record());
    auto options = parts_.config.trebuchet.mask;
    auto secrets = job->secrets();
    if (content) {
        if (!content->key.empty()) options.key = std::make_shared<const SecretString>(std::move(content->key));
        std::move(content->added.begin(), content->added.end(), std::back_inserter(secrets));
    }
    auto masks = MaskSet::build(std::move(secrets), options);
    if (!masks) {
        interrupted.masks_are_whole = false;
        masks = MaskSet::build({}, options);
    }
    if (!masks) return report_unreadable(masks.error(), folder);
    reached("masks built again");
    run_job_with(*job, *masks, folder, copy, interrupted);
    copy.wipe();
}

}  // namespace trebuchet
