#include "provision/connectors/connector.hpp"
#include "provision/connectors/device.hpp"
#include "provision/script/stage_script.hpp"

#include <memory>

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
        {
            Ssh ssh(std::move(*target), context.commands);
            if (auto done = make_reachable(ssh, context); !done || *done != 0) return done;
            for (const auto& command : commands) {
                const bool is_last = &command == &commands.back();
                if (auto done = run(command, is_last, ssh, context); !done || *done != 0) return done;
            }
        }
        return wait_for_recovery(context);
    }

    /// A device that hangs must be restarted before it can recover. Does not use `boot_timeout`, which is for the
    /// recovery.
    static StageResult make_reachable(Ssh& ssh, StageContext& context) {
        auto wait = boot_wait(context.config, restart_wait());
        if (!wait) return stage_error("ConfigError", wait.error().message());
        wait->timeout = restart_wait().timeout;
        return reach_device(ssh, PowerRule::failed_command_is_recovery, *wait, context);
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
        return provisioning_error("the recovery command " + command + " failed: " + describe(result));
    }

    static StageResult wait_for_recovery(StageContext& context) {
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
        const auto up = wait_for_device({device_login_probe(same, ssh, context.commands)}, *wait, context);
        if (up) return 0;
        if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return exit_by_signal(stopped->signal);
        return provisioning_error("the device did not come back from its recovery: " +
                                  std::get<BootTimedOut>(up.error()).message);
    }
};

}  // namespace

std::unique_ptr<Connector> make_oemrecovery() {
    return std::make_unique<OemRecovery>();
}

}  // namespace trebuchet
