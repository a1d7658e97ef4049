#pragma once

#include "agent/job/job_masks.hpp"
#include "agent/job/job_parts.hpp"
#include "agent/job/mask_report.hpp"
#include "common/mask/masked_chunk.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace trebuchet {

/// How a job ended.
struct JobOutcome {
    PhaseStatus status;            ///< exit codes of the phases that ran
    bool recovery_failed = false;  ///< a phase exited with 46: somebody must repair the device
    /// Masked: why the agent must be offline after the job; "": it may take the next one.
    std::string offline_comment{};
    bool cancelled = false;
    bool stopped = false;  ///< cut short because the agent stopped
};

/// The running job: what its steps share, and how they report it. All reports are masked.
class RunningJob final : public SecretSink {
  public:
    explicit RunningJob(JobParts its_parts);
    RunningJob(const RunningJob&) = delete;  // because its masks refer to it
    RunningJob& operator=(const RunningJob&) = delete;

    [[nodiscard]] MaskedChunk mask(std::string_view text) { return masks.current()->mask(text); }
    /// Writes into a phase's log.
    void write(Phase phase, std::string_view text) { parts.log.output(phase, mask(text)); }
    /// Writes after the output of the last phase that ran.
    void add_to_log(std::string_view text) { write(last_phase, text); }
    void event(const std::string& name, std::string_view detail = {});
    /// A phase has ended: tells the listeners, waits until the phase's log is sent, and posts the exit code.
    void phase_ended(Phase phase, int exit_code);
    /// The job cannot run: says so in the log of its first phase.
    void report_unable(const Error& reason);
    /// Runs `work`, which uses the masks, between phases. If masking fails, the job's log says that `what` ("the
    /// artifacts are") left out.
    void with_masks(LiteralText what, const std::function<void()>& work);
    /// Nobody may use the device until somebody has looked at it: tells the listeners and the caller of the job. The
    /// first reason counts.
    void device_is_in_doubt(std::string_view comment);
    /// Reports what was masked, as the log's last lines and as an event.
    void report_masks();

    void secret_value(const std::string& name, std::string_view value) override;
    void secret_access(const SecretAccess& access) override;

    const JobParts parts;
    JobMasks masks;
    MaskReport mask_report;
    JobOutcome outcome;
    Phase last_phase = Phase::setup;         ///< the last phase that ran
    std::string end_reason = "normal_exit";  ///< detail of the event job_end
};

}  // namespace trebuchet
