#pragma once

#include "agent/job/job_control.hpp"
#include "agent/job/job_listener.hpp"
#include "agent/job/log_sink.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace trebuchet {

/// Between a job whose output must not leave the host and its reporter (`trebuchet.secrets.untrusted_logs`): passes on
/// names of phases and events, exit codes and states, and a fixed line in the log of each phase. Keeps the rest in a
/// folder for the lab's people:
///
///     <phase>.log, <phase>-serial.log, device-info.json
///
/// Artifacts are to be packed into that folder; upload_artifacts() sends nothing. Use it on the loop's thread.
class WithheldJob final : public LogSink, public JobListener, public JobControl {
  public:
    /// All of it must outlive this object. `folder` is made.
    WithheldJob(JobListener& listener, JobControl& control, LogSink& log, std::filesystem::path folder);

    /// Where the kept output of a job is, and that of all jobs.
    [[nodiscard]] static std::filesystem::path folder_of(const std::filesystem::path& state_base,
                                                         const std::string& job_id);
    [[nodiscard]] static std::filesystem::path all(const std::filesystem::path& state_base);
    /// Removes what is older. Takes its time: not for the loop's thread.
    static void remove_old(const std::filesystem::path& state_base, std::chrono::hours keep);

    void output(Phase phase, const MaskedChunk& text) override;
    void serial(Phase phase, const MaskedChunk& text) override;

    void job_taken(const Job& job) override { listener_.job_taken(job); }
    void job_resumed(const Job& job) override { listener_.job_resumed(job); }
    void phase_entered(Phase phase) override { listener_.phase_entered(phase); }
    void phase_runs(Phase phase) override { listener_.phase_runs(phase); }
    void process_starts(Phase phase, const std::string& marker) override { listener_.process_starts(phase, marker); }
    void process_started(const ProcessIdentity& supervisor) override { listener_.process_started(supervisor); }
    void device_info(const MaskedJson& info) override;
    void phase_ran(Phase phase, const PhaseStatus& status) override { listener_.phase_ran(phase, status); }
    void event(std::string_view name, const MaskedChunk& detail) override;
    void provision_log(int exit_code, const MaskedChunk& detail) override;
    void recovery_failed(const std::string& comment) override { listener_.recovery_failed(comment); }
    void device_in_doubt(const MaskedChunk& comment) override;
    void job_finished(const PhaseStatus& status, bool cancelled) override { listener_.job_finished(status, cancelled); }

    [[nodiscard]] bool is_cancelled() override { return control_.is_cancelled(); }
    void watch_for_cancel(std::function<void()> handler) override { control_.watch_for_cancel(std::move(handler)); }
    void unwatch() override { control_.unwatch(); }
    void wait_while_allocated() override { control_.wait_while_allocated(); }
    void wait_for_log_upload() override { control_.wait_for_log_upload(); }
    void post_status(const PhaseStatus& status) override { control_.post_status(status); }
    void upload_artifacts(const std::filesystem::path& /*archive*/) override {}
    void deliver_outcome(const PhaseStatus& status, bool cancelled) override {
        control_.deliver_outcome(status, cancelled);
    }
    void stop() override { control_.stop(); }
    void stop_now() override { control_.stop_now(); }

  private:
    void keep(const std::string& name, std::string_view text);

    JobListener& listener_;
    JobControl& control_;
    LogSink& log_;
    std::filesystem::path folder_;
    std::set<Phase> told_;
    bool told_of_disk_ = false;
};

/// The agent's comment instead of one that quotes what a withheld job left; users search for its start.
[[nodiscard]] std::string withheld_comment();

}  // namespace trebuchet
