#pragma once

#include "agent/job/job_control.hpp"

namespace trebuchet {

/// Control of a job without a server: nothing cancels the job, and there is nothing to wait for.
class LocalControl final : public JobControl {
  public:
    [[nodiscard]] bool is_cancelled() override { return false; }
    void watch_for_cancel(std::function<void()> /*handler*/) override {}
    void unwatch() override {}
    void wait_while_allocated() override {}
    void wait_for_log_upload() override {}
    void post_status(const PhaseStatus& /*status*/) override {}
    void upload_artifacts(const std::filesystem::path& /*archive*/) override {}
    void deliver_outcome(const PhaseStatus& /*status*/, bool /*cancelled*/) override {}
    void stop() override {}
    void stop_now() override {}
};

}  // namespace trebuchet
