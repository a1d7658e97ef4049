#include "provision/power/make_power.hpp"

#include "common/base/text.hpp"
#include "provision/job/duration.hpp"
#include "provision/power/command_power.hpp"
#include "provision/power/pdudaemon_power.hpp"
#include "provision/power/qmp_power.hpp"

namespace trebuchet {
namespace {

using Made = Result<std::unique_ptr<PowerControl>>;

std::string text_of(const ConnectorConfig& config, const char* key) {
    const auto found = config.scalars.find(key);
    return found == config.scalars.end() ? "" : found->second;
}

Made make_pdudaemon(const ConnectorConfig& config, CommandRunner& commands, const PowerTools& tools) {
    PduDaemonPower::Outlet outlet;
    outlet.url = text_of(config, "power_url");
    outlet.unit = text_of(config, "power_unit");
    outlet.port = text_of(config, "power_outlet");
    if (outlet.url.empty() || outlet.unit.empty() || outlet.port.empty()) {
        return fail("power: pdudaemon needs power_url, power_unit and power_outlet");
    }
    if (const auto delay = text_of(config, "power_delay"); !delay.empty()) {
        const auto parsed = parse_duration(delay);
        if (!parsed) return fail(parsed.error().with_context("power_delay"));
        outlet.delay = *parsed;
    }
    return std::make_unique<PduDaemonPower>(std::move(outlet), commands, tools.interrupt);
}

Made make_switch(const ConnectorConfig& config, CommandRunner& commands, const PowerTools& tools) {
    const auto kind = text_of(config, "power");
    if (kind.empty()) {
        return std::make_unique<CommandPower>(
            CommandPower::Scripts{config.reboot_script, config.poweroff_script, config.poweron_script}, commands);
    }
    if (kind == "pdudaemon") return make_pdudaemon(config, commands, tools);
    if (kind == "qmp") {
        const auto socket = text_of(config, "power_socket");
        if (socket.empty()) return fail("power: qmp needs power_socket");
        return std::make_unique<QmpPower>(socket);
    }
    return fail("power: found " + trebuchet::quoted(kind) + ", expected pdudaemon or qmp, or nothing for the scripts");
}

}  // namespace

Result<std::unique_ptr<PowerControl>> make_power(const ConnectorConfig& config, CommandRunner& commands,
                                                 const PowerTools& tools) {
    auto inner = make_switch(config, commands, tools);
    if (!inner) return fail(inner.error());
    return std::make_unique<RetryingPower>(std::move(*inner), tools);
}

bool has_power(const ConnectorConfig& config) {
    return !text_of(config, "power").empty() || !config.reboot_script.empty() ||
           (!config.poweroff_script.empty() && !config.poweron_script.empty());
}

}  // namespace trebuchet
