#pragma once

#include "agent/daemon/agent_posts.hpp"
#include "agent/daemon/daemon_parts.hpp"
#include "agent/daemon/job_log_fields.hpp"
#include "agent/delivery/job_folder.hpp"
#include "agent/delivery/undelivered_results.hpp"
#include "agent/job/job_masks.hpp"
#include "agent/job/job_runner.hpp"
#include "agent/job/runtime_copy.hpp"
#include "common/log/log.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

class ServerReporter;

/// How a job ended, for the daemon.
struct SessionEnd {
    std::string job_id;
    std::string offline_comment{};  ///< as in JobOutcome
};

/// Runs accepted jobs, one at a time, each from its document until its result is delivered or stored.
class JobSession {
  public:
    /// `listener`: is told of each job. All arguments must outlive this object.
    JobSession(const DaemonParts& parts, AgentPosts& posts, UndeliveredResults& undelivered, JobListener& listener);

    /// nullopt if the job has no valid id, or was taken before.
    std::optional<SessionEnd> run(TakenJob taken);
    /// Reports a job as failed that the server gave to this agent in a lost answer.
    void report_lost(const std::string& id);
    /// Ends a job that was running when the agent was interrupted. Of its processes only `survivors` may be left.
    SessionEnd resume(JobFolder& folder, bool may_clean_up, std::vector<Survivor> survivors);

    /// Between jobs: makes the agent's log mask the agent's current credentials. True if they are new.
    bool mask_own_secrets();

    /// Between jobs: removes withheld output that is older than `keep_logs`, at most once an hour.
    void remove_old_output();

    // Call these from handlers of the loop:

    /// Gives the running job `trebuchet.stop_grace`, or all the time that it needs, as `trebuchet.drain` says.
    void stop();
    /// Ends the running job, and every later one, at once.
    void stop_now();

  private:
    /// A job that is ready to be run.
    struct Ready {
        const Job& job;
        std::shared_ptr<const MaskSet> masks;
        JobFolder& folder;
        RuntimeCopy& copy;
        GrantedSecrets* granted;                    ///< the lab's secrets for it; null: none
        RepositoryOfJob* repository;                ///< of the tested repository; null: none
        std::optional<InterruptedJob> interrupted;  ///< set: the agent was interrupted, so the job is only ended
    };

    /// Masks for these values and the agent's own credentials.
    [[nodiscard]] Result<std::shared_ptr<const MaskSet>> build_masks(std::vector<NamedSecret> secrets,
                                                                     const MaskOptions& options) const;
    SessionEnd run_document(WipedString document, JobFolder& folder);
    SessionEnd run_ready(const Ready& ready);
    /// Notes if its output must not leave the host.
    void decide_on_output(const GrantedSecrets* granted, JobFolder& folder) const;
    /// Ends the logins to Vault that the killed agent made for the job.
    void end_logins(const Job& job, JobFolder& folder);
    JobOutcome run_reported_to(ServerReporter& reporter, const Ready& ready, JobLogFields& fields);
    /// Reports a job that cannot run as failed.
    SessionEnd report_unreadable(const Error& reason, JobFolder& folder);
    void start_to_stop();
    /// After the outcome: holds the job until none of its data is only in memory.
    void release_job(ServerReporter& reporter, JobFolder& folder);

    const DaemonParts& parts_;
    AgentPosts& posts_;
    UndeliveredResults& undelivered_;
    std::shared_ptr<const MaskSet> log_masks_;
    JobListener& listener_;
    JobMasks idle_masks_;  ///< used while no job's secrets are known: well-known credentials and the agent's own
    JobRunner* running_ = nullptr;
    DocumentSource* ending_logins_ = nullptr;
    Timer stop_timer_;
    bool stopping_ = false;
    bool stopping_now_ = false;
    bool told_of_memory_ = false;
    std::optional<std::chrono::steady_clock::time_point> old_output_removed_at_;
};

}  // namespace trebuchet
