#include "provision/connectors/control_host.hpp"

#include "common/base/text.hpp"
#include "provision/boot/boot_probes.hpp"
#include "provision/connectors/device.hpp"
#include "provision/log/tries_left.hpp"
#include "provision/power/command_power.hpp"
#include "provision/power/retrying_power.hpp"
#include "provision/script/stage_script.hpp"

#include <cstdlib>
#include <memory>
#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr int tries = 13;
constexpr auto between_tries = 5s;

bool is_power_cycled(const ConnectorConfig& config) {
    const char* disabled = std::getenv("DISABLE_CONTROL_HOST_POWERCYCLE");
    return !config.control_host.empty() && !config.control_host_reboot_script.empty() &&
           (disabled == nullptr || *disabled == '\0');
}

}  // namespace

ControlHost::ControlHost(SshTarget target, StageContext& context)
    : context_(&context), ssh_(std::move(target), context.commands) {}

Result<std::string> ControlHost::result_of(const std::string& what, CommandResult result) {
    is_unreachable_ = is_transport_failure(result.end);
    if (succeeded(result)) return std::move(result.output);
    return fail(what + " on " + ssh_.name() + ": " + (is_unreachable_ ? "no ssh connection, " : "") + describe(result));
}

Result<std::string> ControlHost::run_once(const std::string& command_line) {
    return result_of(trebuchet::quoted(command_line, 200), ssh_.run(command_line));
}

Result<std::string> ControlHost::run_script(std::string_view script) {
    return result_of("a script", ssh_.run_script(script));
}

Result<std::string> ControlHost::run(const std::string& command_line) {
    context_->log.info("Running on the control host: " + command_line);
    for (int left = tries;; --left) {
        auto result = run_once(command_line);
        if (result || left == 1 || context_->interrupt.wait_for(0ms) != 0) return result;
        context_->log.warning(result.error().message() + "; retrying in 5 s, " + tries_left(left - 1));
        if (context_->interrupt.wait_for(between_tries) != 0) return result;
    }
}

StageResult ControlHost::failure(const Error& error) {
    if (const int signal = context_->interrupt.wait_for(0ms); signal != 0) return exit_by_signal(signal);
    if (is_unreachable_ && is_power_cycled(context_->config)) return recovery_error(error.message());
    return provisioning_error(error.message());
}

StageResult restart_control_host(StageContext& context) {
    const auto& config = context.config;
    if (is_power_cycled(config)) {
        context.log.info("Power-cycling the control host");
        RetryingPower power(
            std::make_unique<CommandPower>(
                CommandPower::Scripts{config.control_host_reboot_script, {}, {}, "control_host_reboot_script"},
                context.commands),
            {context.log, context.interrupt, context.clock, context.jitter});
        auto done = power.cycle();
        if (const int signal = context.interrupt.wait_for(0ms); signal != 0) return exit_by_signal(signal);
        if (!done) return recovery_error("cannot power-cycle the control host: " + done.error().message);

        BootWait wait;
        wait.initial_delay = 10s;
        const auto limit = read_seconds(config, "control_host_reboot_timeout", 300s);
        if (!limit) return stage_error("ConfigError", limit.error().message());
        wait.timeout = *limit;
        const auto up = wait_for_device({ssh_banner_probe(config.control_host, config.control_port)}, wait, context);
        if (!up) {
            if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return exit_by_signal(stopped->signal);
            return recovery_error("the control host does not come back: " + std::get<BootTimedOut>(up.error()).message);
        }
    }
    return 0;
}

}  // namespace trebuchet
