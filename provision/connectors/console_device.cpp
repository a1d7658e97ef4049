#include "provision/connectors/console_device.hpp"

#include "provision/connectors/console.hpp"
#include "provision/connectors/device.hpp"
#include "provision/power/make_power.hpp"
#include "provision/strategy/console_strategy.hpp"

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

StageResult switch_power(ConsoleStep::Power power, StageContext& context) {
    if (power == ConsoleStep::Power::cycle) return power_cycle(context, PowerRule::failed_command_is_recovery);
    const auto made =
        make_power(context.config, context.commands, {context.log, context.interrupt, context.clock, context.jitter});
    if (!made) return stage_error("ConfigError", made.error().message());
    const auto done = power == ConsoleStep::Power::on ? (*made)->on() : (*made)->off();
    if (done) return 0;
    if (const int signal = context.interrupt.wait_for(0ms); signal != 0) return exit_by_signal(signal);
    const bool is_broken =
        done.error().kind == PowerError::Kind::failed || done.error().kind == PowerError::Kind::timed_out;
    return is_broken ? recovery_error(done.error().message) : provisioning_error(done.error().message);
}

}  // namespace

std::vector<KeySpec> console_device_keys() {
    return {
        {"console_strategy", KeyKind::records, "",
         "steps on the serial console from off to a shell, each with some of: state, power (off, on, cycle), send, "
         "send_line, send_password, every, expect, timeout"},
        {"test_on_console", KeyKind::flag, "false",
         "run test_cmds in the shell on the serial console, without network"},
        {"console_test_timeout", KeyKind::seconds, "3600", "time limit of each command on the console"},
    };
}

std::vector<std::string> console_device_problems(const ConnectorConfig& config) {
    const auto steps = read_console_strategy(config);
    if (!steps) return {steps.error().message()};
    if ((!steps->empty() || tests_on_console(config)) && !console_of(config)) {
        return {
            "console_strategy and test_on_console need serial_host and serial_port, serial_socket or serial_device"};
    }
    return {};
}

StageResult bring_up_on_console(StageContext& context) {
    const auto steps = read_console_strategy(context.config);
    if (!steps) return stage_error("ConfigError", steps.error().message());
    return run_console_strategy(
        *steps, [&](ConsoleStep::Power power) { return switch_power(power, context); }, context);
}

bool has_console_strategy(const ConnectorConfig& config) {
    const auto steps = read_console_strategy(config);
    return steps && !steps->empty();
}

bool tests_on_console(const ConnectorConfig& config) {
    const auto found = config.scalars.find("test_on_console");
    return found != config.scalars.end() && found->second == "true";
}

}  // namespace trebuchet
