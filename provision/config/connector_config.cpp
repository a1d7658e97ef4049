#include "provision/config/connector_config.hpp"

#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "common/yaml/yaml.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace trebuchet {
namespace {

constexpr std::size_t max_bytes = std::size_t{1024} * 1024;

using Reader = std::function<YamlResult<void>(const YamlNode&, ConnectorConfig&)>;

YamlResult<void> read_into(YamlResult<std::string> value, std::string& out) {
    if (!value) return tl::unexpected(value.error());
    out = std::move(*value);
    return {};
}

Reader text(std::string ConnectorConfig::*member) {
    return
        [member](const YamlNode& node, ConnectorConfig& config) { return read_into(node.as_string(), config.*member); };
}

Reader port(std::uint16_t ConnectorConfig::*member) {
    return [member](const YamlNode& node, ConnectorConfig& config) -> YamlResult<void> {
        if (node.kind == YamlKind::scalar && node.text.empty()) return {};
        auto plain = node;
        plain.was_quoted = false;
        const auto value = plain.as_int();
        if (!value || *value < 1 || *value > 65535) return tl::unexpected(node.expected("a port, 1 to 65535"));
        config.*member = static_cast<std::uint16_t>(*value);
        return {};
    };
}

/// A list of commands, or one command.
Reader commands(std::vector<std::string> ConnectorConfig::*member) {
    return [member](const YamlNode& node, ConnectorConfig& config) -> YamlResult<void> {
        if (node.kind != YamlKind::sequence && node.kind != YamlKind::scalar) {
            return tl::unexpected(node.expected("a list of commands"));
        }
        auto list = node.kind == YamlKind::sequence ? node.as_string_list()
                                                    : node.as_string().map([](auto one) { return std::vector{one}; });
        if (!list) return tl::unexpected(list.error());
        config.*member = std::move(*list);
        return {};
    };
}

YamlResult<void> read_env(const YamlNode& node, ConnectorConfig& config) {
    if (node.kind != YamlKind::map) return tl::unexpected(node.expected("names and values of environment variables"));
    for (const auto& entry : node.entries) {
        if (entry.key.empty() || entry.key.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
            return tl::unexpected(YamlProblem{
                entry.key_at, "found " + trebuchet::quoted(entry.key) + ", expected an environment variable's name"});
        }
        auto& value = config.env[entry.key];
        if (entry.value.kind == YamlKind::null) continue;
        if (auto done = read_into(entry.value.as_string(), value); !done) return done;
    }
    return {};
}

const std::map<std::string, Reader, std::less<>>& readers() {
    static const std::map<std::string, Reader, std::less<>> all{
        {"agent_name", text(&ConnectorConfig::agent_name)},
        {"device_ip", text(&ConnectorConfig::device_ip)},
        {"device_port", port(&ConnectorConfig::device_port)},
        {"reboot_script", commands(&ConnectorConfig::reboot_script)},
        {"poweroff_script", commands(&ConnectorConfig::poweroff_script)},
        {"poweron_script", commands(&ConnectorConfig::poweron_script)},
        {"serial_host", text(&ConnectorConfig::serial_host)},
        {"serial_port", port(&ConnectorConfig::serial_port)},
        {"device_key_file", text(&ConnectorConfig::device_key_file)},
        {"control_port", port(&ConnectorConfig::control_port)},
        {"control_key_file", text(&ConnectorConfig::control_key_file)},
        {"control_host_reboot_script", commands(&ConnectorConfig::control_host_reboot_script)},
        {"control_host", text(&ConnectorConfig::control_host)},
        {"control_user", text(&ConnectorConfig::control_user)},
        {"env", read_env},
    };
    return all;
}

/// Keys of single types of connectors, those of the reference included: one file may serve several programs.
const std::vector<std::string>& keys_of_types() {
    static const std::vector<std::string> keys{"test_device",
                                               "control_switch_local_cmd",
                                               "control_switch_device_cmd",
                                               "post_provision_script",
                                               "control_host_reboot_timeout",
                                               "select_master_script",
                                               "select_test_script",
                                               "snappy_writable_partition",
                                               "post_flash_cmds",
                                               "recovery_cmds",
                                               "maas_user",
                                               "node_id",
                                               "reset_efi",
                                               "clear_tpm",
                                               "timeout_min",
                                               "default_disks",
                                               "testflinger_server"};
    return keys;
}

YamlProblem unknown_key(const YamlEntry& entry) {
    auto known = keys_of_types();
    for (const auto& [key, reader] : readers()) known.push_back(key);
    const auto near = did_you_mean(entry.key, known);
    return {entry.key_at, "no type of connector knows the key " + trebuchet::quoted(entry.key) +
                              (near.empty() ? "" : "; did you mean " + trebuchet::quoted(near) + "?")};
}

}  // namespace

ConnectorConfigResult<LoadedConnectorConfig> load_connector_config(const std::filesystem::path& path) {
    const auto text = read_file(path, max_bytes);
    if (!text) return tl::unexpected(std::vector{text.error().message()});
    return parse_connector_config(*text, path.string());
}

ConnectorConfigResult<LoadedConnectorConfig> parse_connector_config(std::string_view text, const std::string& file) {
    const auto document = parse_yaml(text);
    if (!document) return tl::unexpected(std::vector{document.error().message(file)});
    const auto& root = document->root;
    if (root.kind != YamlKind::map && root.kind != YamlKind::null) {
        return tl::unexpected(std::vector{root.expected("keys and values").message(file)});
    }

    LoadedConnectorConfig loaded;
    std::vector<std::string> problems;
    for (const auto& warning : document->warnings) loaded.warnings.push_back(warning.message(file));
    for (const auto& entry : root.entries) {
        if (const auto scalar = entry.value.as_string()) loaded.config.scalars[entry.key] = *scalar;
        if (const auto list = entry.value.as_string_list()) loaded.config.lists[entry.key] = *list;
        if (const auto reader = readers().find(entry.key); reader != readers().end()) {
            if (entry.value.kind == YamlKind::null) continue;
            if (auto done = reader->second(entry.value, loaded.config); !done) {
                auto problem = done.error();
                problem.text = entry.key + ": " + problem.text;
                problems.push_back(problem.message(file));
            }
        } else if (const auto& keys = keys_of_types(); std::find(keys.begin(), keys.end(), entry.key) == keys.end()) {
            loaded.warnings.push_back(unknown_key(entry).message(file));
        }
    }
    if (!problems.empty()) return tl::unexpected(std::move(problems));
    return loaded;
}

}  // namespace trebuchet
