#pragma once

#include "agent/daemon/job_session.hpp"

#include <atomic>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace trebuchet {

/// Ends the jobs that were running when the agent was killed. Runs at the start, before anything else. Algorithm: see
/// recovery.cpp.
class Recovery {
  public:
    /// All arguments must outlive this object.
    Recovery(const DaemonParts& parts, UndeliveredResults& undelivered, JobSession& session)
        : parts_(parts), undelivered_(undelivered), session_(session) {}

    /// Calls `on_ended` after each job. Returns soon once `stopping_now` is true; the next start continues.
    void run(const std::function<void(const SessionEnd&)>& on_ended, const std::atomic<bool>& stopping_now);

  private:
    [[nodiscard]] std::set<std::string> jobs_in_hand() const;
    /// Finishes interrupted removals, and removes what belongs to no job. Blocks.
    void remove_leftovers(const std::set<std::string>& in_hand, const std::atomic<bool>& stopping_now) const;
    /// nullopt: the agent stops now.
    std::optional<SessionEnd> recover(JobFolder& folder, const std::atomic<bool>& stopping_now);
    /// Returns the processes that could not be killed. Blocks.
    [[nodiscard]] std::vector<Survivor> end_processes(const JobRecord& record,
                                                      const std::atomic<bool>& stopping_now) const;

    const DaemonParts& parts_;
    UndeliveredResults& undelivered_;
    JobSession& session_;
};

}  // namespace trebuchet
