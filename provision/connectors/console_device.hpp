#pragma once

#include "provision/connectors/key_spec.hpp"
#include "provision/stages/stage.hpp"

#include <string>
#include <vector>

namespace trebuchet {

// Devices that are brought up, and tested, on their serial console: the types `command` and `qemu`.

[[nodiscard]] std::vector<KeySpec> console_device_keys();
/// For Connector::problems().
[[nodiscard]] std::vector<std::string> console_device_problems(const ConnectorConfig& config);

/// Runs `console_strategy`, if there is one. A power switch that fails gives 46.
[[nodiscard]] StageResult bring_up_on_console(StageContext& context);

[[nodiscard]] bool has_console_strategy(const ConnectorConfig& config);

/// `test_on_console`: the device needs no network.
[[nodiscard]] bool tests_on_console(const ConnectorConfig& config);

}  // namespace trebuchet
