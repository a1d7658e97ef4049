#pragma once

#include "provision/stages/stage.hpp"

namespace trebuchet {

/// Installs the submitter's ssh keys on the device, says how to reach it, and waits until the reservation has expired
/// or we are told to stop (then 128 + signal). A key that can't be installed is logged and does not fail the stage.
/// Needs ssh-import-id and ssh-copy-id on the PATH. Where the configuration has no device_ip, there is nothing to
/// install keys on.
[[nodiscard]] StageResult reserve(StageContext& context);

}  // namespace trebuchet
