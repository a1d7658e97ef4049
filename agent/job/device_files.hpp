#pragma once

#include "agent/job/run_folder.hpp"
#include "agent/job/running_job.hpp"

#include <string>

namespace trebuchet {

/// Sends the files about the device that a phase left in the run folder, masked. If masking fails, sends nothing and
/// says so in the job's log.
class DeviceFiles {
  public:
    explicit DeviceFiles(RunningJob& job) : job_(job) {}

    /// Sends device-info.json if it exists and has changed since it was last sent.
    void send_device_info(const RunFolder& folder);
    /// Sends the phase's serial log, if there is one.
    void send_serial_log(Phase phase, const RunFolder& folder);

  private:
    void send_info(const RunFolder& folder);
    void send_serial(Phase phase, const RunFolder& folder);

    RunningJob& job_;
    std::string last_info_;  ///< as last sent
};

}  // namespace trebuchet
