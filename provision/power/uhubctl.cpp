#include "provision/power/uhubctl.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using Kind = PowerError::Kind;

constexpr auto command_time = 30s;

class UsbPort final : public Outlet {
  public:
    UsbPort(std::vector<std::string> program, std::string hub, std::string port)
        : program_(std::move(program)), hub_(std::move(hub)), port_(std::move(port)) {}

    [[nodiscard]] PowerResult<void> set(bool is_on, CommandRunner& commands) override {
        const auto done = run({"-a", is_on ? "on" : "off"}, commands);
        if (!done) return tl::unexpected(done.error());
        return {};
    }
    [[nodiscard]] PowerResult<PowerState> read(CommandRunner& commands) override {
        return run({}, commands).map([&](const std::string& output) { return parse_uhubctl(output, port_); });
    }

  private:
    PowerResult<std::string> run(const std::vector<std::string>& action, CommandRunner& commands) {
        Command command;
        command.argv = program_;
        command.argv.insert(command.argv.end(), {"-l", hub_, "-p", port_});
        command.argv.insert(command.argv.end(), action.begin(), action.end());
        command.timeout = command_time;
        command.capture_output = true;
        auto result = commands.run(command);
        if (succeeded(result)) return std::move(result.output);
        auto kind = Kind::failed;
        if (std::holds_alternative<CommandTimedOut>(result.end)) kind = Kind::timed_out;
        if (std::holds_alternative<CommandInterrupted>(result.end)) kind = Kind::interrupted;
        if (std::holds_alternative<CommandNotStarted>(result.end)) kind = Kind::not_installed;
        return power_error("uhubctl: port " + port_ + " of hub " + hub_ + ": " + describe(result), kind);
    }

    std::vector<std::string> program_;
    std::string hub_;
    std::string port_;
};

}  // namespace

PowerState parse_uhubctl(std::string_view output, const std::string& port) {
    const auto last = output.rfind("status for hub");
    if (last != std::string_view::npos) output.remove_prefix(last);
    auto state = PowerState::unknown;
    const auto name = "Port " + port + ": ";
    while (!output.empty()) {
        const auto line = output.substr(0, output.find('\n'));
        output.remove_prefix(std::min(line.size() + 1, output.size()));
        const auto at = line.find(name);
        if (at == std::string_view::npos) continue;
        // Four hex digits, then words: "power" or "off" is the first.
        const auto words = line.substr(std::min(at + name.size() + 5, line.size()));
        if (words.starts_with("power")) state = PowerState::on;
        if (words.starts_with("off")) state = PowerState::off;
    }
    return state;
}

std::unique_ptr<Outlet> make_uhubctl(std::vector<std::string> program, std::string hub, std::string port) {
    return std::make_unique<UsbPort>(std::move(program), std::move(hub), std::move(port));
}

}  // namespace trebuchet
