#include "provision/power/command_power.hpp"

#include "common/base/text.hpp"
#include "provision/process/exit_codes.hpp"
#include "provision/process/shell_words.hpp"
#include "provision/process/uninterrupted.hpp"

#include <utility>

namespace trebuchet {
namespace {

using Kind = PowerError::Kind;

constexpr auto command_timeout = std::chrono::seconds(120);
/// Told to stop, we have little time.
constexpr auto last_switch_time = std::chrono::seconds(4);

}  // namespace

CommandPower::CommandPower(Scripts scripts, CommandRunner& commands)
    : scripts_(std::move(scripts)), commands_(&commands) {}

PowerResult<void> CommandPower::on() {
    return run("poweron_script", scripts_.on, true);
}

PowerResult<void> CommandPower::off() {
    return run("poweroff_script", scripts_.off, true);
}

PowerResult<void> CommandPower::cycle() {
    if (!cycles_by_off_and_on()) return run(scripts_.reboot_key, scripts_.reboot, false);
    if (auto done = off(); !done) return done;
    return on();
}

bool CommandPower::cycles_by_off_and_on() const {
    return scripts_.reboot.empty() && !scripts_.off.empty() && !scripts_.on.empty();
}

void CommandPower::end_cycle() {
    if (!cycles_by_off_and_on()) return;
    UninterruptedRunner last(*commands_, last_switch_time);
    (void)CommandPower(scripts_, last).on();
}

PowerResult<PowerState> CommandPower::state() {
    return PowerState::unknown;
}

PowerResult<void> CommandPower::run(const char* key, const std::vector<std::string>& script, bool by_shell) {
    if (script.empty()) return power_error(std::string("the configuration has no ") + key, Kind::refused);
    for (const auto& item : script) {
        std::vector<std::string> words{"/bin/sh", "-c", item};
        if (!by_shell) {
            auto split = split_shell_words(item);
            if (!split) return power_error(std::string(key) + ": " + split.error().message(), Kind::refused);
            words = std::move(*split);
        }
        const auto end = commands_->run({std::move(words), nullptr, command_timeout, false}).end;
        if (exit_code(end) == 0) continue;
        auto kind = Kind::failed;
        if (std::holds_alternative<CommandTimedOut>(end)) kind = Kind::timed_out;
        if (std::holds_alternative<CommandInterrupted>(end)) kind = Kind::interrupted;
        if (std::holds_alternative<CommandNotStarted>(end) || (by_shell && exit_code(end) == exit_not_found)) {
            kind = Kind::not_installed;
        }
        return power_error(std::string(key) + ": " + trebuchet::quoted(item) + ": " + describe(end), kind);
    }
    return {};
}

}  // namespace trebuchet
