#pragma once

#include "common/base/result.hpp"
#include "provision/config/connector_config.hpp"
#include "provision/power/power_control.hpp"
#include "provision/power/retrying_power.hpp"
#include "provision/process/command.hpp"

#include <memory>

namespace trebuchet {

/// Creates the power control that the key `power` names, with retries:
///
///     (missing)   reboot_script, poweroff_script, poweron_script
///     pdudaemon   power_url, power_unit, power_outlet, power_delay
///     qmp         power_socket
///     tasmota     power_url, power_outlet (1), power_delay
///     shelly      power_url, power_outlet (0), power_delay
///     uhubctl     power_hub, power_outlet, power_command (uhubctl), power_delay
///
/// Fails if a required key is missing. `commands` must outlive the result.
[[nodiscard]] Result<std::unique_ptr<PowerControl>> make_power(const ConnectorConfig& config, CommandRunner& commands,
                                                               const PowerTools& tools);

/// Whether the configuration says how to power-cycle the device.
[[nodiscard]] bool has_power(const ConnectorConfig& config);

}  // namespace trebuchet
