#pragma once

#include "agent/job/job_parts.hpp"
#include "agent/job/run_folder.hpp"

#include <atomic>

namespace trebuchet {

/// Downloads a job's attachments and unpacks them into `attachments/` of its run folder.
class AttachmentStep {
  public:
    explicit AttachmentStep(const JobParts& parts) : parts_(parts) {}

    /// Does nothing for a job without attachments. After an Error, none of them is left.
    [[nodiscard]] Result<void> run(const RunFolder& folder);
    /// Stops unpacking.
    void stop_now() { stopping_now_ = true; }

  private:
    const JobParts& parts_;
    std::atomic<bool> stopping_now_{false};  ///< read by the thread that unpacks
};

}  // namespace trebuchet
