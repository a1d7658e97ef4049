#pragma once

#include "agent/job/job.hpp"
#include "agent/job/phase_status.hpp"
#include "common/mask/masked_chunk.hpp"
#include "common/mask/masked_json.hpp"
#include "common/process/process_identity.hpp"

#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

class MaskReport;
struct SecretAccess;

/// Is told what happens to the running job, for the server, the metrics or a terminal. All texts are masked. A listener
/// logs its own failures and continues, because a job continues without its server. It may post what it is told if each
/// post has a time limit; calls that wait longer belong to JobControl.
class JobListener {
  public:
    virtual ~JobListener() = default;

    virtual void job_taken(const Job& /*job*/) {}
    /// Called instead of job_taken for a job that was running when the agent was interrupted.
    virtual void job_resumed(const Job& /*job*/) {}
    /// This phase is next, with or without a command. Not called for cleanup.
    virtual void phase_entered(Phase /*phase*/) {}
    /// The phase's command is about to run.
    virtual void phase_runs(Phase /*phase*/) {}
    /// All processes of the phase will have this NAME=VALUE in their environment.
    virtual void process_starts(Phase /*phase*/, const std::string& /*marker*/) {}
    virtual void process_started(const ProcessIdentity& /*supervisor*/) {}
    virtual void device_info(const MaskedJson& /*info*/) {}
    /// A phase has ended; `status` contains all phases that have ended so far.
    virtual void phase_ran(Phase /*phase*/, const PhaseStatus& /*status*/) {}
    virtual void event(std::string_view /*name*/, const MaskedChunk& /*detail*/) {}
    virtual void provision_log(int /*exit_code*/, const MaskedChunk& /*detail*/) {}
    /// The device is unusable until somebody has repaired it.
    virtual void recovery_failed(const std::string& /*comment*/) {}
    /// The device must not be used until somebody has looked at it.
    virtual void device_in_doubt(const MaskedChunk& /*comment*/) {}
    /// The phase's processes have used this much more CPU time.
    virtual void cpu_used(Phase /*phase*/, std::chrono::microseconds /*time*/) {}
    /// A secret of the lab was given to a phase, or not.
    virtual void secret_access(const SecretAccess& /*access*/) {}
    /// A gzip tar of masked files is about to be uploaded.
    virtual void artifacts_packed(const std::filesystem::path& /*archive*/) {}
    /// Nothing more will be masked. The report is already in the log and the events.
    virtual void secrets_masked(const MaskReport& /*report*/) {}
    /// Nothing of the job runs any more. Its outcome will be delivered next.
    virtual void job_finished(const PhaseStatus& /*status*/, bool /*cancelled*/) {}
};

/// Passes each call to several listeners, in order. They must outlive this object.
class JobListeners {
  public:
    JobListeners(std::initializer_list<JobListener*> all) : all_(all) {}

    void add(JobListener& listener) { all_.push_back(&listener); }

    /// Example: tell(&JobListener::phase_runs, phase)
    template <typename... Parameters, typename... Arguments>
    void tell(void (JobListener::*what)(Parameters...), const Arguments&... arguments) const {
        for (auto* listener : all_) (listener->*what)(arguments...);
    }

  private:
    std::vector<JobListener*> all_;
};

}  // namespace trebuchet
