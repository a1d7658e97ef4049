#pragma once

#include "agent/job/job_listener.hpp"
#include "common/log/log.hpp"

#include <string>

namespace trebuchet {

/// Adds the running job and its phase to the agent's log, as fields for the journal and JSON.
class JobLogFields final : public JobListener {
  public:
    explicit JobLogFields(const std::string& job_id) { set_log_field("JOB_ID", job_id); }
    ~JobLogFields() override {
        set_log_field("PHASE", "");
        set_log_field("JOB_ID", "");
    }
    JobLogFields(const JobLogFields&) = delete;
    JobLogFields& operator=(const JobLogFields&) = delete;

    void phase_runs(Phase phase) override { set_log_field("PHASE", std::string(name_of(phase))); }
    void phase_ran(Phase /*phase*/, const PhaseStatus& /*status*/) override { set_log_field("PHASE", ""); }
};

}  // namespace trebuchet
