#pragma once

#include "agent/job/run_folder.hpp"
#include "agent/job/running_job.hpp"

#include <string>

namespace trebuchet {

/// Sends, masked, the files about the device that a phase left in the run folder. If masking fails, they are not sent,
/// and the job's log says so.
class DeviceFiles {
  public:
    explicit DeviceFiles(RunningJob& job) : job_(job) {}

    /// Sends device-info.json, if it exists and differs from what was sent last.
    void send_device_info(const RunFolder& folder);
    /// Sends the phase's serial log, if there is one.
    void send_serial_log(Phase phase, const RunFolder& folder);

  private:
    void send_info(const RunFolder& folder);
    void send_serial(Phase phase, const RunFolder& folder);

    RunningJob& job_;
    std::string last_info_;  ///< as it was sent
};

}  // namespace trebuchet
