#include "provision/connectors/control_host_hook.hpp"

#include "common/base/text.hpp"
#include "provision/boot/ssh_banner.hpp"
#include "provision/http/rest_call.hpp"
#include "provision/process/uninterrupted.hpp"
#include "provision/script/stage_script.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr int default_ssh_port = 22;
constexpr auto command_timeout = 60s;
constexpr auto between_looks = 2s;
constexpr auto time_to_go_down = 30s;
constexpr auto time_to_come_back = 300s;  ///< unless control_host_reboot_timeout is longer
/// Told to stop, we have little time for giving the device its power back.
constexpr auto last_command_time = 3s;

bool is_disabled() {
    const char* disabled = std::getenv("DISABLE_CONTROL_HOST_POWERCYCLE");
    return disabled != nullptr && *disabled != '\0';
}

class ControlHostRestart {
  public:
    explicit ControlHostRestart(StageContext& context)
        : context_(&context), host_(context.config.control_host), log_(&context.log) {}

    StageResult run() {
        if (is_disabled()) {
            log_->info("Power-cycling the control host is disabled by DISABLE_CONTROL_HOST_POWERCYCLE");
            return 0;
        }
        if (context_->config.control_host_reboot_script.empty()) {
            log_->warning("No control_host_reboot_script configured, cannot reboot.");
            return 0;
        }
        const auto limit = read_seconds(context_->config, "control_host_reboot_timeout", time_to_come_back);
        if (!limit) return stage_error("ConfigError", limit.error().message());
        // muxpi's files have less here, for a restart of its own.
        limit_ = std::max<std::chrono::seconds>(*limit, time_to_come_back);
        log_->info("Attempt to power cycle the control host.");
        if (ask("POST", "/api/v1/system/poweroff", 10s)) return restart_by_service();
        if (const int signal = stopped(); signal != 0) return exit_by_signal(signal);
        return restart_without_service();
    }

  private:
    int stopped() const { return context_->interrupt.wait_for(0ms); }

    bool ask(const char* method, const char* path, std::chrono::seconds timeout) const {
        RestCall call;
        call.method = method;
        call.url = "http://" + host_ + ":8000" + path;
        call.timeout = timeout;
        const auto answer = call_rest(call, context_->commands);
        return answer && answer->is_success();
    }

    StageResult restart_by_service() {
        if (const int signal = wait_until_down(); signal != 0) return exit_by_signal(signal);
        if (const int signal = run_script(); signal != 0) return exit_by_signal(signal);
        log_->info("Waiting for the REST API on control host " + host_);
        const auto came_back = wait_for([&] { return ask("GET", "/health", 3s); });
        if (const int signal = stopped(); signal != 0) return exit_by_signal(signal);
        if (came_back) return 0;
        return stage_error("TimeoutError", "the REST API of the control host " + host_ + " did not answer within " +
                                               std::to_string(limit_.count()) + " s after its power cycle");
    }

    StageResult restart_without_service() {
        log_->warning("The REST API is not available on " + host_ + ", falling back to SSH-based control host check");
        if (has_ssh()) return 0;
        if (const int signal = run_script(); signal != 0) return exit_by_signal(signal);
        log_->info("Waiting for control host " + host_ +
                   " to come back online (timeout: " + std::to_string(limit_.count()) + " seconds)");
        const auto came_back = wait_for([&] { return has_ssh(); });
        if (const int signal = stopped(); signal != 0) return exit_by_signal(signal);
        if (!came_back) {
            log_->error("Control host " + host_ + " is not available or the SSH server is not running after " +
                        std::to_string(limit_.count()) + " seconds");
        }
        return 0;
    }

    /// Looks each 2 s; whether `look` has succeeded in time.
    template <typename Look>
    bool wait_for(Look look) const {
        const auto deadline = context_->clock.now() + limit_;
        while (true) {
            if (look()) return true;
            if (stopped() != 0 || context_->clock.now() + between_looks >= deadline) return false;
            if (context_->interrupt.wait_for(between_looks) != 0) return false;
        }
    }

    /// A host that goes on answering is not waited for any longer. The signal that told us to stop, else 0.
    int wait_until_down() const {
        const auto deadline = context_->clock.now() + time_to_go_down;
        while (context_->clock.now() < deadline) {
            Command ping;
            ping.argv = {"ping", "-c", "1", "-W", "3", host_};
            ping.timeout = 10s;
            ping.capture_output = true;
            const auto result = context_->commands.run(ping);
            if (const auto* end = std::get_if<CommandInterrupted>(&result.end)) return end->signal;
            if (std::holds_alternative<CommandNotStarted>(result.end)) {
                log_->warning("Cannot see whether the control host is down: ping " + describe(result));
            }
            // What still runs on it has a moment to end.
            if (!succeeded(result)) return context_->interrupt.wait_for(10s);
            if (const int signal = context_->interrupt.wait_for(between_looks); signal != 0) return signal;
        }
        return 0;
    }

    bool has_ssh() const {
        const auto port = context_->config.control_port == 0 ? default_ssh_port : context_->config.control_port;
        Command look;
        look.argv = {"nc", "-z", "-w", "3", host_, std::to_string(port)};
        look.timeout = 10s;
        look.capture_output = true;
        const auto result = context_->commands.run(look);
        if (!std::holds_alternative<CommandNotStarted>(result.end)) return succeeded(result);
        return check_ssh_banner(host_, static_cast<std::uint16_t>(port)).has_value();
    }

    int run_script() const;

    StageContext* context_;
    std::string host_;
    const ConnectorLog* log_;
    std::chrono::seconds limit_ = time_to_come_back;
};

/// Items by /bin/sh; what fails is logged, and the next one runs. The signal that told us to stop, else 0.
int run_shell_script(const std::vector<std::string>& script, CommandRunner& commands, const ConnectorLog& log) {
    for (const auto& item : script) {
        log.info("Executing: " + item);
        Command command;
        command.argv = {"/bin/sh", "-c", item};
        command.timeout = command_timeout;
        command.capture_output = true;
        const auto result = commands.run(command);
        if (succeeded(result)) continue;
        if (const auto* end = std::get_if<CommandInterrupted>(&result.end)) return end->signal;
        if (std::holds_alternative<CommandTimedOut>(result.end)) {
            log.error("Command timed out after " + std::to_string(command_timeout.count()) + "s: " + item);
        } else {
            log.error("Command failed: " + item + " (exit code: " + std::to_string(exit_code(result.end)) +
                      "): " + describe(result));
        }
    }
    return 0;
}

int ControlHostRestart::run_script() const {
    log_->info("Running control host reboot script");
    return run_shell_script(context_->config.control_host_reboot_script, context_->commands, *log_);
}

}  // namespace

StageResult prepare_control_host(const ControlHostNeeds& needs, StageContext& context) {
    context.log.info("Running pre-provision hook");
    const auto& config = context.config;
    if (config.control_host.empty()) return 0;
    if (config.control_host.front() == '-') {
        return stage_error("ConfigError", "control_host: found " + trebuchet::quoted(config.control_host) +
                                              ", expected a name or an address");
    }
    const bool cuts_power = needs.keeps_device_off && !is_disabled() && !config.control_host_reboot_script.empty() &&
                            !config.poweroff_script.empty() && !config.poweron_script.empty();
    if (cuts_power) {
        context.log.info("Running DUT power-off script");
        (void)run_shell_script(config.poweroff_script, context.commands, context.log);
    }
    auto result = ControlHostRestart(context).run();
    if (cuts_power) {
        context.log.info("Running DUT power-on script");
        const bool is_stopped = context.interrupt.wait_for(0ms) != 0;
        UninterruptedRunner commands(context.commands, is_stopped ? last_command_time : command_timeout);
        (void)run_shell_script(config.poweron_script, commands, context.log);
    }
    if (result && *result == 0) set_up_control_host("provisioning", needs.setup_json, context);
    if (const int signal = context.interrupt.wait_for(0ms); result && signal != 0) return exit_by_signal(signal);
    return result;
}

void set_up_control_host(const char* what, std::string_view json, StageContext& context) {
    const auto& host = context.config.control_host;
    if (host.empty()) return;
    context.log.info(std::string("Setting up ") + what + " on control host " + host);
    RestCall call;
    call.method = "POST";
    call.url = "http://" + host + ":8000/api/v1/system/setup/" + what;
    call.timeout = 10s;
    if (!json.empty()) call.json = json;
    const auto answer = call_rest(call, context.commands);
    if (!answer) {
        context.log.info("The control host has no service that prepares it: " + answer.error().message);
    } else if (!answer->is_success()) {
        context.log.info("The control host does not prepare itself: status " + std::to_string(answer->status));
    }
}

}  // namespace trebuchet
