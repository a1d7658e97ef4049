#include "agent/job/running_job.hpp"

#include "agent/job/exit_codes.hpp"
#include "common/log/log.hpp"

#include <exception>
#include <utility>

namespace trebuchet {

RunningJob::RunningJob(JobParts its_parts)
    : parts(std::move(its_parts)),
      masks(
          parts.masks, {}, [this](std::string_view value) { parts.on_mask_added(value); }, parts.own_secrets) {}

void RunningJob::event(const std::string& name, std::string_view detail) {
    if (masks.has_failed()) detail = {};  // a phase may have written the detail
    parts.listeners.tell(&JobListener::event, name, masks.current()->mask(detail, mask_report.at("events").get()));
}

void RunningJob::phase_ended(Phase phase, int exit_code) {
    outcome.status[phase] = exit_code;
    parts.listeners.tell(&JobListener::phase_ran, phase, outcome.status);
    parts.control.wait_for_log_upload();
    parts.control.post_status(outcome.status);
}

void RunningJob::report_unable(const Error& reason) {
    log_error("job " + parts.job.id + " cannot run: " + reason.message());
    write(Phase::setup, "ERROR: the job cannot run: " + reason.message() + "\n");
    end_reason = "setup_fail";
    phase_ended(Phase::setup, could_not_start_code);
}

void RunningJob::with_masks(LiteralText what, const std::function<void()>& work) {
    bool failed = masks.has_failed();
    try {
        if (!failed) work();
    } catch (const std::exception&) {
        failed = true;  // the message may quote text to be masked
    }
    if (!failed) return;
    auto text = MaskedChunk::literal("ERROR: secrets cannot be masked any more: ");
    text.append(what).append(" left out");
    log_error("job " + parts.job.id + ": " + std::string(text.bytes()));
    parts.log.output(last_phase, MaskedChunk::literal("\n").append(text).append(".\n"));
}

void RunningJob::device_is_in_doubt(std::string_view comment) {
    if (!outcome.offline_comment.empty()) return;
    with_masks("the reason why the agent goes offline is", [&] {
        const auto masked = mask(comment);
        outcome.offline_comment = masked.bytes();
        parts.listeners.tell(&JobListener::device_in_doubt, masked);
    });
    if (outcome.offline_comment.empty()) outcome.offline_comment = "Set to offline by agent.";
}

void RunningJob::secret_value(const std::string& name, std::string_view value) {
    if (masks.add_given(name, value)) return;
    log_warning("job " + parts.job.id + ": the value of " + name + " is too short to be masked");
}

void RunningJob::secret_access(const SecretAccess& access) {
    static_cast<void>(masks.current());  // the agent's log masks what was registered meanwhile
    const auto text = "secrets: job " + parts.job.id + ", grant " + access.grant +
                      (access.reference.empty() ? "" : ", " + access.reference) + ", " + access.name +
                      (access.phase.empty() ? "" : ", phase " + access.phase) + ": " +
                      std::string(name_of(access.outcome)) + (access.why.empty() ? "" : ", " + access.why);
    const bool is_by_rule =
        access.outcome == SecretAccess::Outcome::given || access.outcome == SecretAccess::Outcome::refused;
    log_message(is_by_rule ? LogLevel::info : LogLevel::warning, text);
    parts.listeners.tell(&JobListener::secret_access, access);
}

void RunningJob::report_masks() {
    if (mask_report.empty()) return;
    with_masks("the list of masked secrets is", [&] {
        const auto lines = mask_report.text();
        add_to_log("\nSecrets that were masked in this job:\n" + lines);
        parts.listeners.tell(&JobListener::event, "secrets_masked", mask(lines));
        parts.listeners.tell(&JobListener::secrets_masked, mask_report);
    });
}

}  // namespace trebuchet
