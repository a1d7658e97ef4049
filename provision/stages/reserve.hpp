#pragma once

#include "provision/stages/stage.hpp"

namespace trebuchet {

/// Lets the submitter's ssh keys into the device, says how to reach it, and waits until the reservation has expired,
/// was ended or extended through the file `reservation` in the run folder, or we are told to stop (then 128 + signal).
/// Then it takes the keys out again. A key that can't be installed is logged and does not fail the stage. Needs
/// ssh-import-id on the PATH for keys by name. Where the configuration has no device_ip, there is nothing to install
/// keys on.
[[nodiscard]] StageResult reserve(StageContext& context);

}  // namespace trebuchet
