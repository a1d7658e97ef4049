#pragma once

#include "provision/stages/stage.hpp"

#include <string_view>

namespace trebuchet {

/// What a type of device wants of its control host before provision.
struct ControlHostNeeds {
    /// The device is without power while the control host restarts, by poweroff_script and poweron_script, if the
    /// configuration has both.
    bool keeps_device_off = false;
    std::string_view setup_json{};  ///< body of the request for provisioning; "": none
};

/// Before provision, where there is a control host: restarts it and tells its service at port 8000 to prepare for
/// provisioning. Steps:
///
/// 1. The service is asked to power the host off. If it agrees, the host is waited for until it no longer answers
///    pings; then `control_host_reboot_script` cuts and gives its power, each item by /bin/sh, and the service is
///    waited for, 300 s at most.
/// 2. If there is no service, nothing is done to a host whose ssh answers. One whose ssh is dead is power-cycled, and
/// its
///    ssh is waited for.
///
/// What fails is logged, and provision goes on, but for a service that stays away in step 1: then the stage fails.
/// Without a control_host_reboot_script, or if DISABLE_CONTROL_HOST_POWERCYCLE is set to anything, nothing is
/// restarted.
[[nodiscard]] StageResult prepare_control_host(const ControlHostNeeds& needs, StageContext& context);

/// Tells the control host's service to prepare for `what`, "provisioning" or "test". It need not be there.
void set_up_control_host(const char* what, std::string_view json, StageContext& context);

}  // namespace trebuchet
