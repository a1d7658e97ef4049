#include "provision/connectors/console.hpp"

namespace trebuchet {

std::optional<SerialConsole> console_of(const ConnectorConfig& config) {
    if (!config.serial_device.empty()) return TtyConsole{config.serial_device, config.serial_speed};
    if (!config.serial_socket.empty()) return UnixConsole{config.serial_socket};
    if (config.serial_host.empty() || config.serial_port == 0) return std::nullopt;
    return TcpConsole{config.serial_host, config.serial_port};
}

}  // namespace trebuchet
