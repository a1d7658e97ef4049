#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet {

/// `default.yaml`, the device configuration. A missing key leaves its field empty or 0. "Ours": a key that the
/// reference agent does not have.
struct ConnectorConfig {
    std::string agent_name;
    std::string device_ip;
    std::uint16_t device_port = 0;  ///< the device's ssh port; ours
    std::string device_key_file;    ///< private key for the device's ssh; ours
    std::vector<std::string> reboot_script;
    std::vector<std::string> poweroff_script;
    std::vector<std::string> poweron_script;
    std::string serial_host;
    std::uint16_t serial_port = 0;
    std::string serial_socket;  ///< ours, as are the next three
    std::string serial_device;
    std::uint32_t serial_speed = 115'200;
    bool serial_timestamps = false;
    std::string control_host;
    std::uint16_t control_port = 0;  ///< the control host's ssh port; ours
    std::string control_user;
    std::string control_key_file;  ///< ours
    std::vector<std::string> control_host_reboot_script;
    /// Environment variables of test commands. "" unsets a variable.
    std::map<std::string, std::string> env;

    /// Every top-level key whose value is not empty.
    std::set<std::string> keys;
    /// Every top-level key with a scalar value, as written in the file: for templates and for keys of one connector
    /// type.
    std::map<std::string, std::string> scalars;
    /// Every top-level key with a list of scalars.
    std::map<std::string, std::vector<std::string>> lists;
    /// Every top-level key with a list of names and values, all of them scalars.
    std::map<std::string, std::vector<std::map<std::string, std::string>>> records;
};

/// The list under `key`. A single scalar counts as a list of one; an empty scalar as an empty list.
[[nodiscard]] std::vector<std::string> list_of(const ConnectorConfig& config, const std::string& key);

/// The error holds all problems, each as "file:line:col: what is wrong, found …, expected …".
template <typename T>
using ConnectorConfigResult = tl::expected<T, std::vector<std::string>>;

/// Parses the keys that all types share; other keys go to `scalars` and `lists`. `file` is only used in messages.
[[nodiscard]] ConnectorConfigResult<ConnectorConfig> parse_connector_config(std::string_view text,
                                                                            const std::string& file);

}  // namespace trebuchet
