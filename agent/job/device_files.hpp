#pragma once

#include "agent/job/run_folder.hpp"
#include "agent/job/running_job.hpp"

#include <string>

namespace trebuchet {

/// Sends what a phase's command learnt of the device and left in the run folder, masked. If the masks fail, it is left
/// out, and the job's log says so.
class DeviceFiles {
  public:
    explicit DeviceFiles(RunningJob& job) : job_(job) {}

    /// If it is there and differs from what was sent last.
    void send_device_info(const RunFolder& folder);
    /// What the phase captured of the serial console, if it did.
    void send_serial_log(Phase phase, const RunFolder& folder);

  private:
    void send_info(const RunFolder& folder);
    void send_serial(Phase phase, const RunFolder& folder);

    RunningJob& job_;
    std::string last_info_;  ///< as it was sent
};

}  // namespace trebuchet
