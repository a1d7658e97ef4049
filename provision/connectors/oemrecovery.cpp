#include "provision/connectors/connector.hpp"
#include "provision/connectors/key_login.hpp"
#include "provision/script/stage_script.hpp"

#include <algorithm>
#include <memory>
#include <string_view>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

/// A device with its own recovery system: commands on the device start it, and it reinstalls the device.
class OemRecovery final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        auto keys = boot_keys("3600", "90", "90");
        keys.push_back(
            {"recovery_cmds", KeyKind::commands, "", "commands to run on the device, which start its recovery", true});
        keys.push_back({"recovery_cmds_timeout", KeyKind::seconds, "600", "timeout of each of these commands"});
        return {keys, {}};
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        return missing_device(config);
    }

  protected:
    [[nodiscard]] ControlHostNeeds control_host_needs() const override { return {false, R"({"usb": "DUT"})"}; }
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        auto result = recover(context);
        context.log.info("END provision");
        return result;
    }

  private:
    static StageResult recover(StageContext& context) {
        const auto commands = list_of(context.config, "recovery_cmds");
        if (commands.empty())
            return stage_error("ConfigError", "recovery_cmds is missing: expected a list of commands");
        auto target = device_target(context, false);
        if (!target) return stage_error("ConfigError", target.error().message());
        // A device that hangs must be restarted before it can recover.
        bool was_reached = false;
        auto reached = install_key_or_restart({}, context, was_reached, [&] { return wait_until_installed(context); });
        if (!reached || *reached != 0) return reached;
        {
            Ssh ssh(std::move(*target), context.commands);
            for (const auto& command : commands) {
                const bool is_last = &command == &commands.back();
                if (auto done = run(command, is_last, ssh, context); !done || *done != 0) return done;
            }
        }
        return wait_until_installed(context);
    }

    static StageResult run(const std::string& command, bool is_last, Ssh& ssh, StageContext& context) {
        context.log.info("Running on the device: " + command);
        SshCall call;
        const auto limit = read_seconds(context.config, "recovery_cmds_timeout", 600s);
        if (!limit) return stage_error("ConfigError", limit.error().message());
        call.timeout = *limit;
        const auto result = ssh.run(command, call);
        if (succeeded(result)) return 0;
        if (const auto* stopped = std::get_if<CommandInterrupted>(&result.end)) return exit_by_signal(stopped->signal);
        if (is_last && is_transport_failure(result.end)) {
            context.log.warning("The connection was lost during the last command: assuming that the device restarts");
            return 0;
        }
        if (std::holds_alternative<CommandTimedOut>(result.end)) {
            return provisioning_error("the recovery command " + command + " took longer than " +
                                      std::to_string(limit->count()) + " s");
        }
        return provisioning_error("the recovery command " + command + " failed: " + describe(result));
    }

    /// Whether the device's system has set itself up: snapd knows its model, and the device is a classic system, or it
    /// has done its first initialisation.
    static Result<void> check_snapd(Ssh& ssh) {
        SshCall call;
        call.timeout = 15s;
        ssh.disconnect();
        const auto model = ssh.run("snap model", call);
        if (!succeeded(model)) return fail("snap model: " + describe(model));
        if (!has_line(model.output, "model", "")) return fail("snap model names no model yet");
        if (has_line(model.output, "model", "generic-classic")) return {};
        const auto changes = ssh.run("snap changes", call);
        if (!succeeded(changes)) return fail("snap changes: " + describe(changes));
        if (has_line(changes.output, "Initialize device", "Done")) return {};
        return fail("snap changes: the device is not initialized yet");
    }

    static bool has_line(std::string_view text, std::string_view first, std::string_view second) {
        while (!text.empty()) {
            const auto line = text.substr(0, text.find('\n'));
            if (line.find(first) != std::string_view::npos && line.find(second) != std::string_view::npos) return true;
            text.remove_prefix(std::min(line.size() + 1, text.size()));
        }
        return false;
    }

    static StageResult wait_until_installed(StageContext& context) {
        auto target = device_target(context, true);
        if (!target) return stage_error("ConfigError", target.error().message());
        const auto same = target->clone();
        Ssh ssh(std::move(*target), context.commands);
        BootWait defaults;
        defaults.initial_delay = 90s;
        defaults.timeout = 3600s;
        defaults.interval = 90s;
        defaults.report_every = 300s;
        const auto wait = boot_wait(context.config, defaults);
        if (!wait) return stage_error("ConfigError", wait.error().message());
        const BootProbe installed{"an installed system at " + ssh.name(), [&ssh] { return check_snapd(ssh); }};
        const auto up = wait_for_device({installed, device_login_probe(same, ssh, context.commands)}, *wait, context);
        if (up) return 0;
        if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return exit_by_signal(stopped->signal);
        return provisioning_error("Failed to boot test image! " + std::get<BootTimedOut>(up.error()).message);
    }
};

}  // namespace

std::unique_ptr<Connector> make_oemrecovery() {
    return std::make_unique<OemRecovery>();
}

}  // namespace trebuchet
