#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet {

/// `default.yaml`: what a connector knows about its device. What is missing is empty, or 0.
struct ConnectorConfig {
    std::string agent_name;
    std::string device_ip;
    std::uint16_t device_port = 0;  ///< of the device's ssh; ours, the reference has none
    std::string device_key_file;    ///< private key for it; ours
    std::vector<std::string> reboot_script;
    std::vector<std::string> poweroff_script;
    std::vector<std::string> poweron_script;
    std::string serial_host;
    std::uint16_t serial_port = 0;
    std::string serial_socket;  ///< this and what follows on the console is ours
    std::string serial_device;
    std::uint32_t serial_speed = 115'200;
    bool serial_timestamps = false;
    std::string control_host;
    std::uint16_t control_port = 0;  ///< of its ssh; ours
    std::string control_user;
    std::string control_key_file;  ///< ours
    std::vector<std::string> control_host_reboot_script;
    /// For test commands. "" takes a variable out of their environment.
    std::map<std::string, std::string> env;

    /// Every key at the top whose value is a scalar, as it is written in the file: for templates, and for the keys of
    /// one type of connector.
    std::map<std::string, std::string> scalars;
    /// Likewise every key whose value is a list of scalars.
    std::map<std::string, std::vector<std::string>> lists;
};

/// The list under this key, or the one scalar that stands there in place of a list; none if that is empty.
[[nodiscard]] std::vector<std::string> list_of(const ConnectorConfig& config, const std::string& key);

/// Each problem is "file:line:col: what is wrong, found …, expected …"; all of them are returned at once.
template <typename T>
using ConnectorConfigResult = tl::expected<T, std::vector<std::string>>;

/// Reads what is common to all types, and keeps the rest as it is. `file` is only for messages.
[[nodiscard]] ConnectorConfigResult<ConnectorConfig> parse_connector_config(std::string_view text,
                                                                            const std::string& file);

}  // namespace trebuchet
