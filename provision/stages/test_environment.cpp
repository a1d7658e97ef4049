#include "provision/stages/test_environment.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trebuchet {

Environment test_environment(Environment own, const ConnectorConfig& config, const JobSecrets& secrets) {
    auto environment = std::move(own);
    std::vector<std::string> empty;
    for (const auto& [name, value] : environment.variables()) {
        if (value.reveal().empty()) empty.push_back(name);
    }
    for (const auto& name : empty) environment.unset(name);
    const auto set_or_unset = [&](const std::string& name, std::string_view value) {
        if (value.empty()) {
            environment.unset(name);
        } else {
            environment.set(name, value);
        }
    };
    if (!config.device_ip.empty()) environment.set("DEVICE_IP", config.device_ip);
    if (config.device_port != 0) environment.set("DEVICE_PORT", std::to_string(config.device_port));
    for (const auto& [name, value] : config.env) set_or_unset(name, value);
    set_or_unset("AGENT_NAME", config.agent_name);

    std::string reboot_script;
    for (const auto& command : config.reboot_script) {
        if (!reboot_script.empty()) reboot_script += ';';
        reboot_script += command;
    }
    set_or_unset("REBOOT_SCRIPT", reboot_script);

    for (const auto& [name, value] : secrets) {
        if (value) {
            environment.set(name, value->reveal());
        } else {
            environment.unset(name);
        }
    }
    return environment;
}

}  // namespace trebuchet
