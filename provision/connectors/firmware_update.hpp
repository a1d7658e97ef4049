#pragma once

#include "provision/stages/stage.hpp"

namespace trebuchet {

/// The default firmware_update stage: updates the firmware of HP, Dell and Lenovo computers (vendor from DMI) to LVFS's
/// newest version, with fwupdmgr on the device. The job must set `firmware_update_data.version: latest`; with
/// `ignore_failure: true` a failure is only logged.
[[nodiscard]] StageResult update_firmware(StageContext& context);

}  // namespace trebuchet
