#include "provision/power/pdudaemon_power.hpp"

#include "common/base/text.hpp"
#include "provision/process/curl_config.hpp"

#include <cctype>
#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using Kind = PowerError::Kind;

std::string percent_encoded(const std::string& text) {
    constexpr const char* digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_') {
            out += c;
        } else {
            out += {'%', digits[byte >> 4U], digits[byte & 15U]};
        }
    }
    return out;
}

}  // namespace

PduDaemonPower::PduDaemonPower(Outlet outlet, CommandRunner& commands, Interrupt& interrupt)
    : outlet_(std::move(outlet)), commands_(&commands), interrupt_(&interrupt) {}

PowerResult<void> PduDaemonPower::on() {
    return request("on", 0s, outlet_.delay);
}

PowerResult<void> PduDaemonPower::off() {
    return request("off", 0s, outlet_.delay);
}

PowerResult<void> PduDaemonPower::cycle() {
    return request("reboot", outlet_.delay, 2 * outlet_.delay);
}

PowerResult<PowerState> PduDaemonPower::state() {
    return PowerState::unknown;
}

PowerResult<void> PduDaemonPower::request(const char* action, std::chrono::seconds delay, std::chrono::seconds wait) {
    auto url = outlet_.url;
    while (!url.empty() && url.back() == '/') url.pop_back();
    url += std::string("/power/control/") + action + "?hostname=" + percent_encoded(outlet_.unit) +
           "&port=" + percent_encoded(outlet_.port) + "&delay=" + std::to_string(delay.count());
    const auto config = curl_config(url);
    if (!config) return power_error("power_url: " + config.error().message(), Kind::refused);
    Command curl;
    curl.argv = {"curl", "-q", "-sS", "--fail-with-body", "--max-time", "20", "-K", "-"};
    curl.input = *config;
    curl.timeout = 30s;
    curl.capture_output = true;
    const auto result = commands_->run(curl);
    if (!succeeded(result)) {
        auto kind = Kind::failed;
        if (std::holds_alternative<CommandTimedOut>(result.end)) kind = Kind::timed_out;
        if (std::holds_alternative<CommandInterrupted>(result.end)) kind = Kind::interrupted;
        return power_error("pdudaemon at " + redacted_url(outlet_.url) + ": cannot switch outlet " +
                               trebuchet::quoted(outlet_.port) + " of " + trebuchet::quoted(outlet_.unit) + " (" +
                               action + "): " + describe(result),
                           kind);
    }
    if (interrupt_->wait_for(wait) != 0) return power_error("stopped by a signal", Kind::interrupted);
    return {};
}

}  // namespace trebuchet
