#include "provision/power/make_power.hpp"

#include "common/base/text.hpp"
#include "provision/job/duration.hpp"
#include "provision/power/command_power.hpp"
#include "provision/power/network_plugs.hpp"
#include "provision/power/pdudaemon_power.hpp"
#include "provision/power/qmp_power.hpp"
#include "provision/power/uhubctl.hpp"
#include "provision/process/shell_words.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace trebuchet {
namespace {

using Made = Result<std::unique_ptr<PowerControl>>;

std::string text_of(const ConnectorConfig& config, const char* key) {
    const auto found = config.scalars.find(key);
    return found == config.scalars.end() ? "" : found->second;
}

Result<std::chrono::seconds> delay_of(const ConnectorConfig& config) {
    const auto delay = text_of(config, "power_delay");
    if (delay.empty()) return std::chrono::seconds(5);
    const auto parsed = parse_duration(delay);
    if (!parsed) return fail(parsed.error().with_context("power_delay"));
    return *parsed;
}

Made make_pdudaemon(const ConnectorConfig& config, CommandRunner& commands, const PowerTools& tools) {
    PduDaemonPower::Outlet outlet;
    outlet.url = text_of(config, "power_url");
    outlet.unit = text_of(config, "power_unit");
    outlet.port = text_of(config, "power_outlet");
    if (outlet.url.empty() || outlet.unit.empty() || outlet.port.empty()) {
        return fail("power: pdudaemon needs power_url, power_unit and power_outlet");
    }
    const auto delay = delay_of(config);
    if (!delay) return fail(delay.error());
    outlet.delay = *delay;
    return std::make_unique<PduDaemonPower>(std::move(outlet), commands, tools.interrupt);
}

/// "": the fallback.
Result<unsigned> number_of(const std::string& text, unsigned fallback) {
    unsigned number = fallback;
    if (text.empty()) return number;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec == std::errc() && read.ptr == end && number <= 63) return number;
    return fail("power_outlet: found " + trebuchet::quoted(text) + ", expected a number up to 63");
}

Made make_plug(const std::string& kind, const ConnectorConfig& config, CommandRunner& commands,
               const PowerTools& tools) {
    const auto url = text_of(config, "power_url");
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
        return fail("power: " + kind + " needs power_url: http://HOST");
    }
    const auto delay = delay_of(config);
    if (!delay) return fail(delay.error());
    const bool is_tasmota = kind == "tasmota";
    const auto outlet = number_of(text_of(config, "power_outlet"), is_tasmota ? 1 : 0);
    if (!outlet) return fail(outlet.error());
    auto plug = is_tasmota ? make_tasmota(url, *outlet) : make_shelly(url, *outlet);
    return std::make_unique<OutletPower>(std::move(plug), *delay, commands, tools.interrupt);
}

Made make_usb_port(const ConnectorConfig& config, CommandRunner& commands, const PowerTools& tools) {
    const auto hub = text_of(config, "power_hub");
    const auto port = text_of(config, "power_outlet");
    const auto is_number = [](const std::string& text, std::string_view also) {
        return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
            return std::isdigit(static_cast<unsigned char>(c)) != 0 || also.find(c) != std::string_view::npos;
        });
    };
    if (!is_number(hub, ".-") || hub.front() == '-' || !is_number(port, "")) {
        return fail("power: uhubctl needs power_hub, such as 1-1.4, and power_outlet, the number of a port");
    }
    const auto given = text_of(config, "power_command");
    auto program = split_shell_words(given.empty() ? "uhubctl" : given);
    if (!program) return fail(program.error().with_context("power_command"));
    const auto delay = delay_of(config);
    if (!delay) return fail(delay.error());
    return std::make_unique<OutletPower>(make_uhubctl(std::move(*program), hub, port), *delay, commands,
                                         tools.interrupt);
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
    if (kind == "tasmota" || kind == "shelly") return make_plug(kind, config, commands, tools);
    if (kind == "uhubctl") return make_usb_port(config, commands, tools);
    return fail("power: found " + trebuchet::quoted(kind) +
                ", expected pdudaemon, qmp, tasmota, shelly or uhubctl, or nothing for the scripts");
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
