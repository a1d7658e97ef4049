#pragma once

#include "provision/stages/stage.hpp"

namespace trebuchet {

/// The stage for devices that are reached by ssh: brings the firmware of a computer of HP, Dell or Lenovo, as its DMI
/// names its vendor, to the newest version that LVFS has, by fwupdmgr on the device. The job asks for it by
/// `firmware_update_data.version: latest`; with `ignore_failure: true` a failure is only logged.
[[nodiscard]] StageResult update_firmware(StageContext& context);

}  // namespace trebuchet
