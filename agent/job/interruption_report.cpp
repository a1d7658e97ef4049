#include "agent/job/interruption_report.hpp"

#include "agent/job/exit_codes.hpp"
#include "common/log/log.hpp"

#include <string>

namespace trebuchet {
namespace {

const std::string how = "the agent was interrupted (crash or power cut)";

}  // namespace

void InterruptionReport::run(RunFolder& folder) {
    if (!interrupted_.masks_are_whole) drop_unmasked(folder);
    if (interrupted_.running) return report_phase(*interrupted_.running, true, folder);
    if (const auto next = next_phase()) report_phase(*next, false, folder);
}

std::optional<Phase> InterruptionReport::next_phase() const {
    const auto& status = interrupted_.status;
    if (interrupted_.cancelled || status.contains(Phase::cleanup) || interrupted_.has_event("cleanup_start")) {
        return std::nullopt;
    }
    for (const auto& [phase, code] : status) {
        if (code != 0 && (phase != Phase::test || code == recovery_failed_code)) return std::nullopt;
    }
    for (const Phase phase : main_phases) {
        const bool is_behind = interrupted_.entered && phase < *interrupted_.entered;
        if (!is_behind && !status.contains(phase) && phases_.reason_to_skip(phase).empty()) return phase;
    }
    return std::nullopt;
}

void InterruptionReport::report_phase(Phase phase, bool was_running, RunFolder& folder) {
    const std::string name(name_of(phase));
    job_.write(phase, was_running ? "\nERROR: " + how + " while the " + name + " phase ran: the phase was ended.\n"
                                  : "ERROR: " + how + ": skipping this and later phases.\n");
    if (was_running) {
        phases_.device_files().send_serial_log(phase, folder);
        folder.remove_serial_log(phase);  // cleanup will run again
    }
    phases_.device_files().send_device_info(folder);
    job_.outcome.status[phase] = ended_by_agent_code;
    if (phase == Phase::cleanup) return;  // it will run again
    if (auto written = folder.write_outcome(job_.outcome.status); !written) log_warning(written.error().message());
    job_.phase_ended(phase, ended_by_agent_code);
    job_.end_reason = name + "_fail";
    job_.event(job_.end_reason);
    if (phase == Phase::provision && was_running) {
        job_.parts.listeners.tell(&JobListener::provision_log, ended_by_agent_code, job_.mask(job_.end_reason));
    }
}

void InterruptionReport::drop_unmasked(const RunFolder& folder) {
    const auto removed = folder.remove_unmasked();
    if (removed.empty()) return;
    std::string names;
    for (const auto& name : removed) names += (names.empty() ? "" : ", ") + name;
    log_warning("job " + job_.parts.job.id +
                ": deleted what it left, because the secrets to mask in it are not known any more: " + names);
    job_.write(interrupted_.last_phase(),
               "\n[deleted, since the secrets that may be in there are not known any more: " + names + "]\n");
}

}  // namespace trebuchet
