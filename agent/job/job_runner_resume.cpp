#include "agent/job/job_runner.hpp"
#include "common/log/log.hpp"

#include <algorithm>

namespace trebuchet {
namespace {

/// As the reference agent counts a command that it ended.
constexpr int interrupted_code = 247;

constexpr const char* how = "the agent was interrupted (crash or power cut)";

bool has_event(const JobRecord& record, std::string_view name) {
    return std::any_of(record.events.begin(), record.events.end(),
                       [&](const JobEvent& event) { return event.name == name; });
}

}  // namespace

JobOutcome JobRunner::resume(const std::filesystem::path& secret_base, const Interrupted& interrupted) {
    secret_base_ = secret_base;
    masks_.on_added = [this](std::string_view value) { on_mask_added(value); };
    const auto& record = interrupted.record;
    outcome_.status = record.status;
    outcome_.cancelled = record.cancelled;
    last_phase_ = record.running.value_or(record.entered.value_or(Phase::setup));
    reporter_.job_resumed(job_);
    auto folder = RunFolder::reopen(config_.execution_basedir, secret_base, job_);
    if (!folder) {
        report_unable(folder.error());
    } else {
        if (!interrupted.masks_are_whole) drop_unmasked(record, *folder);
        report_interruption(record, *folder);
        const bool is_clean = record.status.contains(Phase::cleanup);
        if (!is_clean && interrupted.may_clean_up) run_cleanup(*folder);
        if (!is_clean && !interrupted.may_clean_up) {
            log_error("job " + job_.id + " is not cleaned up: that has failed too often");
        }
        with_masks("the device info is", [&] { send_device_info(*folder); });
    }
    outcome_.recovery_failed = std::any_of(outcome_.status.begin(), outcome_.status.end(),
                                           [](const auto& ended) { return ended.second == recovery_failed_code; });
    if (!has_event(record, "job_end")) event("job_end", end_reason_);
    return finish(folder);
}

void JobRunner::report_interruption(const JobRecord& record, RunFolder& folder) {
    if (record.running) return report_interrupted_phase(*record.running, true, folder);
    if (const auto next = next_phase(record)) report_interrupted_phase(*next, false, folder);
}

std::optional<Phase> JobRunner::next_phase(const JobRecord& record) const {
    if (record.cancelled || record.status.contains(Phase::cleanup) || has_event(record, "cleanup_start")) {
        return std::nullopt;
    }
    for (const auto& [phase, code] : record.status) {
        if (code != 0 && (phase != Phase::test || code == recovery_failed_code)) return std::nullopt;
    }
    for (const Phase phase : main_phases) {
        const bool is_behind = record.entered && phase < *record.entered;
        if (!is_behind && !record.status.contains(phase) && reason_to_skip(phase).empty()) return phase;
    }
    return std::nullopt;
}

void JobRunner::report_interrupted_phase(Phase phase, bool was_running, RunFolder& folder) {
    const std::string name(name_of(phase));
    reporter_.output(
        phase,
        mask(was_running ? "\nERROR: " + std::string(how) + " while the " + name + " phase ran: the phase was ended.\n"
                         : "ERROR: " + std::string(how) + ": this phase and what follows is not run.\n"));
    if (was_running) {
        with_masks("its serial log is", [&] { send_serial_log(phase, folder); });
        folder.remove_serial_log(phase);  // cleanup runs again
    }
    with_masks("the device info is", [&] { send_device_info(folder); });
    outcome_.status[phase] = interrupted_code;
    if (phase == Phase::cleanup) return;  // it runs again
    if (auto written = folder.write_outcome(outcome_.status); !written) log_warning(written.error().message());
    reporter_.phase_ran(phase, outcome_.status);
    end_reason_ = name + "_fail";
    event(end_reason_);
    if (phase == Phase::provision && was_running) reporter_.provision_log(interrupted_code, mask(end_reason_));
}

void JobRunner::drop_unmasked(const JobRecord& record, const RunFolder& folder) {
    const auto removed = folder.remove_unmasked();
    if (removed.empty()) return;
    std::string names;
    for (const auto& name : removed) names += (names.empty() ? "" : ", ") + name;
    const auto phase = record.running.value_or(record.entered.value_or(Phase::setup));
    log_warning("what job " + job_.id + " left can't be masked any more and is deleted: " + names);
    reporter_.output(
        phase, mask("\n[deleted, since the secrets that may be in there are not known any more: " + names + "]\n"));
}

}  // namespace trebuchet
