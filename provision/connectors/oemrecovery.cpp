#include "provision/connectors/connector.hpp"
#include "provision/connectors/device.hpp"
#include "provision/script/stage_script.hpp"

#include <memory>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

/// A device that carries its own recovery system: commands on the device start it, and the device comes back anew.
class OemRecovery final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        auto keys = boot_keys("3600", "90", "90");
        keys.push_back({"recovery_cmds", KeyKind::commands, "",
                        "commands that start the recovery, run on the device by ssh", true});
        keys.push_back({"recovery_cmds_timeout", KeyKind::seconds, "600", "for each of them"});
        return {keys, {}};
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        if (!config.device_ip.empty()) return {};
        return {"device_ip is missing: expected the address of the device"};
    }

  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        auto result = recover(context);
        context.log.info("END provision");
        return result;
    }

  private:
    static std::vector<std::string> recovery_commands(const ConnectorConfig& config) {
        if (const auto list = config.lists.find("recovery_cmds"); list != config.lists.end()) return list->second;
        if (const auto one = config.scalars.find("recovery_cmds"); one != config.scalars.end()) return {one->second};
        return {};
    }

    static StageResult recover(StageContext& context) {
        const auto commands = recovery_commands(context.config);
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

    static bool can_power_cycle(const ConnectorConfig& config) {
        return !config.reboot_script.empty() || (!config.poweroff_script.empty() && !config.poweron_script.empty()) ||
               config.scalars.count("power") != 0;
    }

    /// A device that hangs has to be restarted before it can be told to recover.
    static StageResult make_reachable(Ssh& ssh, StageContext& context) {
        const auto reached = ssh.check_login();
        if (reached) return 0;
        if (const int signal = context.interrupt.wait_for(0ms); signal != 0) return 128 + signal;
        if (!can_power_cycle(context.config)) return recovery_error(reached.error().message());
        context.log.warning(reached.error().message() + "; restarting the device");
        if (auto done = power_cycle(context, PowerRule::failure_is_recovery); !done || *done != 0) return done;
        ssh.disconnect();
        BootWait defaults;
        defaults.first_wait = 60s;
        defaults.interval = 10s;
        auto wait = boot_wait(context.config, defaults);
        if (!wait) return stage_error("ConfigError", wait.error().message());
        wait->timeout = 360s;
        BootProbe login{"a login as " + ssh.name(), [&ssh] { return ssh.check_login(); }};
        const auto up = wait_for_device({login}, *wait, context);
        if (up) return 0;
        if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return 128 + stopped->signal;
        return recovery_error(std::get<BootTimedOut>(up.error()).message);
    }

    static StageResult run(const std::string& command, bool is_last, Ssh& ssh, StageContext& context) {
        context.log.info("Running on the device: " + command);
        SshCall call;
        const auto limit = read_seconds(context.config, "recovery_cmds_timeout", 600s);
        if (!limit) return stage_error("ConfigError", limit.error().message());
        call.timeout = *limit;
        const auto result = ssh.run(command, call);
        if (succeeded(result)) return 0;
        if (const auto* stopped = std::get_if<CommandInterrupted>(&result.end)) return 128 + stopped->signal;
        if (is_last && is_transport_failure(result.end)) {
            context.log.warning("The connection ended with the last command: taken for the device's restart");
            return 0;
        }
        return recovery_error("the recovery command " + command + " failed: " + describe(result));
    }

    static StageResult wait_for_recovery(StageContext& context) {
        auto target = device_target(context, true);
        if (!target) return stage_error("ConfigError", target.error().message());
        auto password = SshTarget{target->host, target->port, target->user, target->key_file, target->password.clone()};
        Ssh ssh(std::move(*target), context.commands);
        BootWait defaults;
        defaults.first_wait = 90s;
        defaults.timeout = 3600s;
        defaults.interval = 90s;
        defaults.report_every = 300s;
        const auto wait = boot_wait(context.config, defaults);
        if (!wait) return stage_error("ConfigError", wait.error().message());
        const auto up = wait_for_device({device_login_probe(password, ssh, context.commands)}, *wait, context);
        if (up) return 0;
        if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return 128 + stopped->signal;
        return provisioning_error("the device did not come back from its recovery: " +
                                  std::get<BootTimedOut>(up.error()).message);
    }
};

}  // namespace

std::unique_ptr<Connector> make_oemrecovery() {
    return std::make_unique<OemRecovery>();
}

}  // namespace trebuchet
