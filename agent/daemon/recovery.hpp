#pragma once

#include "agent/daemon/job_session.hpp"

#include <atomic>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace trebuchet {

/// Ends the jobs that the agent had in hand when it was killed. Runs at the start, before anything else. Algorithm: see
/// recovery.cpp.
class Recovery {
  public:
    /// All of it must outlive this object.
    Recovery(const DaemonParts& parts, UndeliveredResults& undelivered, JobSession& session)
        : parts_(parts), undelivered_(undelivered), session_(session) {}

    /// `on_ended` is called after each job. Ends soon once `stopping_now` is true: the next start goes on.
    void run(const std::function<void(const SessionEnd&)>& on_ended, const std::atomic<bool>& stopping_now);

  private:
    [[nodiscard]] std::set<std::string> jobs_in_hand() const;
    /// What was being removed, and what nobody owns. Blocks.
    void remove_leftovers(const std::set<std::string>& in_hand, const std::atomic<bool>& stopping_now) const;
    /// Nothing: the agent stops now.
    std::optional<SessionEnd> recover(JobFolder& folder, const std::atomic<bool>& stopping_now);
    /// Returns those that could not be ended. Blocks.
    [[nodiscard]] std::vector<Survivor> end_processes(const JobRecord& record,
                                                      const std::atomic<bool>& stopping_now) const;

    const DaemonParts& parts_;
    UndeliveredResults& undelivered_;
    JobSession& session_;
};

}  // namespace trebuchet
