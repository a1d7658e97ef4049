#pragma once

#include "agent/daemon/job_session.hpp"

#include <functional>
#include <set>
#include <string>

namespace trebuchet {

/// Ends the jobs that the agent had in hand when it was killed. Runs at the start, before anything else. Algorithm: see
/// recovery.cpp.
class Recovery {
  public:
    /// All of it must outlive this object.
    Recovery(const DaemonParts& parts, UndeliveredResults& undelivered, JobSession& session)
        : parts_(parts), undelivered_(undelivered), session_(session) {}

    /// `on_ended` is called after each job; `is_stopping_now` is asked before each.
    void run(const std::function<void(const SessionEnd&)>& on_ended, const std::function<bool()>& is_stopping_now);

  private:
    [[nodiscard]] std::set<std::string> jobs_in_hand() const;
    SessionEnd recover(JobFolder& folder);
    void end_processes(const JobRecord& record);

    const DaemonParts& parts_;
    UndeliveredResults& undelivered_;
    JobSession& session_;
};

}  // namespace trebuchet
