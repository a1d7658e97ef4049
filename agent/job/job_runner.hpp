#pragma once

#include "agent/config/config.hpp"
#include "agent/delivery/job_record.hpp"
#include "agent/job/job.hpp"
#include "agent/job/job_reporter.hpp"
#include "agent/job/phase_runner.hpp"
#include "agent/job/run_folder.hpp"
#include "common/event/event_loop.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace trebuchet {

/// How a job ended, for whoever ran it.
struct JobOutcome {
    PhaseStatus status;            ///< exit codes of the phases that ran
    bool recovery_failed = false;  ///< a phase exited with 46: the device needs somebody
    bool cancelled = false;
    bool stopped = false;  ///< the agent's own stop cut it short
};

/// Exit code by which a phase says that the device could not be brought back.
inline constexpr int recovery_failed_code = 46;

/// Why the agent is offline then; users search for this text.
[[nodiscard]] std::string recovery_failed_comment(const std::string& job_id);

/// Runs one job from its first phase to its outcome:
///
///     setup … reserve, each: entered → (skipped | command → status) → success or fail
///       │ a failure (but of test), a cancellation or the agent's stop leaves the row
///     cleanup (always) → artifacts → the run folder is deleted → finished
///
/// On the loop's thread; `run` returns when all is done.
class JobRunner {
  public:
    JobRunner(EventLoop& loop, const Config& config, JobReporter& reporter, const Job& job,
              std::shared_ptr<const MaskSet> masks);

    /// `secret_base`: this agent's folder on tmpfs.
    JobOutcome run(const std::filesystem::path& secret_base);

    /// What is known of a job that was in hand when the agent was interrupted.
    struct Interrupted {
        JobRecord record;
        bool masks_are_whole = false;  ///< what a phase left behind can be sent
        bool may_clean_up = true;
    };
    /// Ends such a job in place of `run`: its phase is reported as ended by the agent, cleanup runs, what is left is
    /// sent. Nothing else is run (again). None of its processes may be left.
    JobOutcome resume(const std::filesystem::path& secret_base, const Interrupted& interrupted);

    /// The agent is to stop: the phase that runs is ended, the rest but cleanup is left out. From a handler of the
    /// loop.
    void stop();

    /// The agent is to stop at once: what runs is killed, the rest, cleanup included, is left out. From a handler of
    /// the loop.
    void kill();

    /// Puts the job's attachments, a gzip tar, into this new file. For jobs that have some.
    std::function<Result<void>(const std::filesystem::path& file)> fetch_attachments;
    /// Told of each value that a phase registers.
    std::function<void(std::string_view value)> on_mask_added = [](std::string_view) {};
    /// A folder of ours for the packed artifacts; nothing: the run folder.
    std::optional<std::filesystem::path> archive_folder;

  private:
    enum class Next { go_on, end_job };

    /// The job can't run: says so in the log of its first phase.
    void report_unable(const Error& reason);
    [[nodiscard]] Result<void> unpack_attachments(const RunFolder& folder);
    /// The agent's stop came before this phase.
    void report_left_out(Phase phase);
    void run_main_phases(RunFolder& folder);
    Next run_main_phase(Phase phase, RunFolder& folder);
    [[nodiscard]] std::string command_of(Phase phase) const;
    /// "" if the phase has something to run.
    [[nodiscard]] std::string reason_to_skip(Phase phase) const;
    /// Nothing if the phase has nothing to run.
    std::optional<PhaseEnd> run_command(Phase phase, RunFolder& folder);
    PhaseEnd execute(Phase phase, const std::string& command, RunFolder& folder);
    [[nodiscard]] PhaseSpec spec_of(Phase phase, const std::string& command, const RunFolder& folder) const;
    void run_cleanup(RunFolder& folder);
    /// After the last event.
    JobOutcome finish(Result<RunFolder>& folder);
    void report_interruption(const JobRecord& record, RunFolder& folder);
    void report_interrupted_phase(Phase phase, bool was_running, RunFolder& folder);
    /// The phase that would have been next; nothing if the job was ending.
    [[nodiscard]] std::optional<Phase> next_phase(const JobRecord& record) const;
    void drop_unmasked(const JobRecord& record, const RunFolder& folder);
    void upload_artifacts(const RunFolder& folder);
    /// The archive to send, or nothing; its withheld files are in the job's log.
    std::optional<std::filesystem::path> make_archive(const RunFolder& folder);
    /// What was masked, as the log's last lines and as an event.
    void report_leaks();
    /// Does what needs the masks, between phases. If they fail, `what` is left out, and the job's log says so.
    void with_masks(const std::string& what, const std::function<void()>& work);
    void send_device_info(const RunFolder& folder);
    void send_serial_log(Phase phase, const RunFolder& folder);
    [[nodiscard]] MaskedChunk mask(std::string_view text) { return masks_.current()->mask(text); }
    void event(const std::string& name, std::string_view detail = {}) {
        if (masks_.has_failed()) detail = {};  // a phase may have written it
        reporter_.event(name, masks_.current()->mask(detail, leaks_.at("events").get()));
    }
    /// A line of ours after the phases' output.
    void add_to_log(const std::string& text) { reporter_.output(last_phase_, mask(text)); }

    EventLoop& loop_;
    const Config& config_;
    JobReporter& reporter_;
    const Job& job_;
    JobMasks masks_;
    LeakReport leaks_;
    PhaseRunner phases_;
    Phase last_phase_ = Phase::setup;  ///< that ran
    std::filesystem::path secret_base_;
    JobOutcome outcome_;
    bool stop_ended_a_phase_ = false;
    std::atomic<bool> killed_{false};        ///< read by the thread that unpacks
    std::atomic<bool> stop_packing_{false};  ///< read by the thread that packs
    Timer packing_limit_;
    std::string end_reason_ = "normal_exit";  ///< detail of the event job_end
    std::string last_device_info_;            ///< as it was sent
};

}  // namespace trebuchet
