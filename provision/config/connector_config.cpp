#include "provision/config/connector_config.hpp"

#include "common/base/text.hpp"
#include "common/yaml/yaml.hpp"

#include <functional>
#include <optional>
#include <utility>

namespace trebuchet {
namespace {

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

/// Accepts a list of commands or a single command.
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
    if (node.kind != YamlKind::map) return tl::unexpected(node.expected("a map of environment variables"));
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

YamlResult<void> read_serial_speed(const YamlNode& node, ConnectorConfig& config) {
    const auto value = node.as_int();
    if (!value || *value < 50 || *value > 4'000'000) return tl::unexpected(node.expected("a speed such as 115200"));
    config.serial_speed = static_cast<std::uint32_t>(*value);
    return {};
}

YamlResult<void> read_serial_timestamps(const YamlNode& node, ConnectorConfig& config) {
    const auto value = node.as_bool();
    if (!value) return tl::unexpected(value.error());
    config.serial_timestamps = *value;
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
        {"serial_socket", text(&ConnectorConfig::serial_socket)},
        {"serial_device", text(&ConnectorConfig::serial_device)},
        {"serial_speed", read_serial_speed},
        {"serial_timestamps", read_serial_timestamps},
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

/// False for "key:", "key: ''" and "key: []".
bool has_value(const YamlNode& node) {
    switch (node.kind) {
        case YamlKind::null:
            return false;
        case YamlKind::scalar:
            return !node.text.empty();
        case YamlKind::sequence:
            return !node.items.empty();
        case YamlKind::map:
            return !node.entries.empty();
    }
    return false;
}

/// The maps of a list; nothing if it is no list of maps, or if a value is not a scalar.
std::optional<std::vector<std::map<std::string, std::string>>> records_in(const YamlNode& node) {
    if (node.kind != YamlKind::sequence || node.items.empty()) return std::nullopt;
    std::vector<std::map<std::string, std::string>> records;
    for (const auto& item : node.items) {
        if (item.kind != YamlKind::map) return std::nullopt;
        auto& record = records.emplace_back();
        for (const auto& entry : item.entries) {
            if (entry.value.kind == YamlKind::null) continue;
            const auto value = entry.value.as_string();
            if (!value) return std::nullopt;
            record[entry.key] = *value;
        }
    }
    return records;
}

}  // namespace

std::vector<std::string> list_of(const ConnectorConfig& config, const std::string& key) {
    if (const auto list = config.lists.find(key); list != config.lists.end()) return list->second;
    const auto one = config.scalars.find(key);
    if (one == config.scalars.end() || one->second.empty()) return {};
    return {one->second};
}

ConnectorConfigResult<ConnectorConfig> parse_connector_config(std::string_view text, const std::string& file) {
    const auto document = parse_yaml(text);
    if (!document) return tl::unexpected(std::vector{document.error().message(file)});
    const auto& root = document->root;
    if (root.kind != YamlKind::map && root.kind != YamlKind::null) {
        return tl::unexpected(std::vector{root.expected("keys and values").message(file)});
    }

    ConnectorConfig config;
    std::vector<std::string> problems;
    for (const auto& entry : root.entries) {
        if (has_value(entry.value)) config.keys.insert(entry.key);
        if (const auto scalar = entry.value.as_string()) config.scalars[entry.key] = *scalar;
        if (const auto list = entry.value.as_string_list()) config.lists[entry.key] = *list;
        if (auto records = records_in(entry.value)) config.records[entry.key] = std::move(*records);
        if (const auto reader = readers().find(entry.key); reader != readers().end()) {
            if (entry.value.kind == YamlKind::null) continue;
            if (auto done = reader->second(entry.value, config); !done) {
                auto problem = done.error();
                problem.text = entry.key + ": " + problem.text;
                problems.push_back(problem.message(file));
            }
        }
    }
    if (!problems.empty()) return tl::unexpected(std::move(problems));
    return config;
}

}  // namespace trebuchet
