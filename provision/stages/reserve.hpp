#pragma once

#include "provision/stages/stage.hpp"

namespace trebuchet {

/// Reserves the device for the submitter:
///
/// 1. Adds the submitter's ssh keys to the device. A failure is logged and does not fail the stage. Skipped without a
/// device_ip. Key names need ssh-import-id on the PATH.
/// 2. Prints how to reach the device.
/// 3. Waits until the reservation expires, the file `reservation` in the run folder ends it (the file can also extend
/// it), or a stop signal arrives (the result is then 128 + signal).
/// 4. Removes the keys that it added.
[[nodiscard]] StageResult reserve(StageContext& context);

}  // namespace trebuchet
