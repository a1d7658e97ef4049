#pragma once

#include "provision/config/connector_config.hpp"
#include "provision/serial/serial_console.hpp"

#include <optional>

namespace trebuchet {

/// The device's serial console: `serial_device`, else `serial_socket`, else `serial_host` and `serial_port`. Nothing if
/// the configuration has none.
[[nodiscard]] std::optional<SerialConsole> console_of(const ConnectorConfig& config);

}  // namespace trebuchet
