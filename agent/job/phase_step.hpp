#pragma once

#include "agent/job/added_masks.hpp"
#include "agent/job/device_files.hpp"
#include "agent/job/job_console.hpp"
#include "agent/job/phase_runner.hpp"
#include "agent/job/run_folder.hpp"
#include "agent/job/running_job.hpp"
#include "agent/job/secret_files.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// The prefix of the cgroup names of an agent's jobs. The same in each run of the agent; different for each agent,
/// because it depends on `secret_base`.
[[nodiscard]] std::string job_cgroups(const std::filesystem::path& secret_base);
/// The cgroup of the job. Each phase has its own group below it (ProcessSpec::cgroup).
[[nodiscard]] std::string job_cgroup(const std::filesystem::path& secret_base, const std::string& job_id);

/// One phase of a job, from its configured command to its reported exit code.
class PhaseStep {
  public:
    explicit PhaseStep(RunningJob& job);

    /// "" if the phase has something to run, else why it is skipped.
    [[nodiscard]] std::string reason_to_skip(Phase phase) const;
    /// Runs the phase's command in the run folder, and sends its output and the files that it left. nullopt if the
    /// phase is skipped. A failed cleanup is run once more and the second result counts, except after exit code 46 or
    /// if the agent ended it.
    std::optional<PhaseEnd> run(Phase phase, RunFolder& folder);

    DeviceFiles& device_files() { return files_; }

    /// Ends trebuchet.console_command.
    void end_console() { console_.stop(); }
    /// Ends what commands left running in the background, and waits until it is gone. The last phase's log names what
    /// could not be killed.
    void end_leftovers();
    void tell_survivors(const std::vector<Survivor>& survivors);
    /// The survivors that are still alive.
    [[nodiscard]] std::vector<Survivor> living_survivors() const;
    /// Ends the running phase if it may be ended (cleanup may not). Call this from a handler of the loop.
    void stop() {
        if (fetch_may_end_ && job_.parts.granted != nullptr) job_.parts.granted->interrupt();
        if (fetch_may_end_ && job_.parts.repository != nullptr) job_.parts.repository->stop_now();
        phases_.stop();
    }
    /// Kills what runs and what was left running. Call this from a handler of the loop.
    void stop_now() {
        stopping_now_ = true;
        phases_.stop_now();
        console_.kill();
    }

  private:
    /// What a command needs while it runs.
    struct Setup {
        PhaseSpec spec;
        std::optional<Interruption> interruption;  ///< it came before the command could be started
        std::optional<SecretFiles> secret_files;
        FileDescriptor log;
        std::optional<MaskFifo> mask_fifo;
        bool file_with_secrets = false;         ///< the job file contains them, on tmpfs
        std::optional<WipedString> filled_job;  ///< the content of the job file, if it has templates
        std::string template_notes;
        Result<void> ready;  ///< an Error: do not run the command
    };
    [[nodiscard]] PhaseEnd attempt(Phase phase, RunFolder& folder);
    [[nodiscard]] bool may_try_again(Phase phase, const PhaseEnd& end) const;
    [[nodiscard]] std::string command_of(Phase phase) const;
    [[nodiscard]] Setup set_up(Phase phase, RunFolder& folder);
    /// What the lab's grants give to the phase, masked from now on. Sets `interruption` or `ready` if the phase must
    /// not run.
    [[nodiscard]] PhaseSecrets fetch_granted(Phase phase, Setup& setup);
    /// What the tested repository gives to the phase, masked from now on; null: nothing.
    [[nodiscard]] const RepositoryValues* fetch_repository(Phase phase, Setup& setup);
    /// Fills in the templates of the phase's data: adds the variables that scripts refer to. Sets `ready` if one is
    /// wrong.
    void fill_in(Phase phase, const std::map<std::string, SecretString>& given,
                 std::map<std::string, SecretString>& secrets, Setup& setup);
    /// Creates the files of `granted`, and sets the variables to their paths.
    void make_secret_files(PhaseSecrets& granted, Setup& setup) const;
    /// Writes the job file, with these secrets if it has some, and gives the folder to the user of the phases.
    [[nodiscard]] Result<void> prepare(RunFolder& folder, const Setup& setup,
                                       const std::map<std::string, SecretString>& granted) const;
    /// Without the configuration's strings and without secrets.
    [[nodiscard]] Environment base_environment(const RunFolder& folder) const;
    [[nodiscard]] Result<MaskFifo> make_fifo() const;
    [[nodiscard]] PhaseSpec spec_of(Phase phase, const RunFolder& folder) const;
    void hide_secrets(RunFolder& folder) const;

    RunningJob& job_;
    PhaseRunner phases_;
    DeviceFiles files_;
    std::vector<Survivor> survivors_;
    bool stopping_now_ = false;
    bool fetch_may_end_ = false;  ///< secrets are being read for a phase that a stop skips
    JobConsole console_;
};

}  // namespace trebuchet
