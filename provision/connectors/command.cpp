#include "common/base/backoff.hpp"
#include "provision/boot/boot_probes.hpp"
#include "provision/connectors/connector.hpp"
#include "provision/connectors/console_device.hpp"
#include "provision/connectors/device.hpp"
#include "provision/process/uninterrupted.hpp"
#include "provision/script/stage_script.hpp"
#include "provision/stages/runtest.hpp"
#include "provision/stages/test_environment.hpp"
#include "provision/strategy/console_shell.hpp"

#include <memory>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

/// A device that is provisioned by commands in its configuration.
class CommandConnector final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        ConnectorKeys keys{
            {{"provision_cmds", KeyKind::commands, "", "commands that provision the device, each run by /bin/sh -c"},
             {"provision_timeout", KeyKind::seconds, "1800", "timeout of each of these commands"},
             {"provision_retries", KeyKind::number, "0", "number of retries of each of these commands"},
             {"provision_wait_for_ssh", KeyKind::seconds, "0",
              "how long to wait for the device's ssh afterwards; 0: no wait"},
             {"recovery_commands", KeyKind::commands, "",
              "commands to run after a failed or stopped provisioning; if one fails, the device goes offline (exit "
              "code 46)"},
             {"recovery_timeout", KeyKind::seconds, "120",
              "timeout of each of these commands; at most 8 after a stop signal"},
             {"firmware_update_cmds", KeyKind::commands, "", "commands of the stage firmware_update"},
             {"firmware_update_timeout", KeyKind::seconds, "1800", "timeout of each of these commands"},
             {"firmware_update_retries", KeyKind::number, "0", "number of retries of each of these commands"},
             {"cleanup_cmds", KeyKind::commands, "", "commands of the stage cleanup"},
             {"cleanup_timeout", KeyKind::seconds, "300", "timeout of each of these commands"},
             {"cleanup_retries", KeyKind::number, "0", "number of retries of each of these commands"}},
            {}};
        for (const auto& spec : console_device_keys()) keys.config.push_back(spec);
        return keys;
    }

    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        auto found = console_device_problems(config);
        for (const auto* stage : {"provision", "firmware_update", "cleanup"}) {
            if (const auto script = read_stage_script(config, stage, 1800s); !script) {
                found.push_back(script.error().message());
            }
        }
        return found;
    }

  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        auto result = provision_device(context);
        if (!result || *result != 0) {
            if (auto recovered = recover(context); !recovered) result = std::move(recovered);
        }
        context.log.info("END provision");
        return result;
    }
    StageResult runtest(StageContext& context) override {
        return tests_on_console(context.config) ? runtest_on_console(context) : trebuchet::runtest(context);
    }
    StageResult firmware_update(StageContext& context) override {
        return run_script("firmware_update", 1800s, context);
    }
    StageResult cleanup(StageContext& context) override { return run_script("cleanup", 300s, context); }

  private:
    static StageResult provision_device(StageContext& context) {
        if (auto done = run_script("provision", 1800s, context); !done || *done != 0) return done;
        if (auto done = bring_up_on_console(context); !done || *done != 0) return done;
        const auto limit = read_seconds(context.config, "provision_wait_for_ssh", 0s);
        if (!limit) return stage_error("ConfigError", limit.error().message());
        if (*limit == 0s) return 0;
        if (context.config.device_ip.empty())
            return stage_error("ConfigError", "device_ip is missing: provision_wait_for_ssh needs it");
        BootWait wait;
        wait.timeout = *limit;
        const auto up =
            wait_for_device({ssh_banner_probe(context.config.device_ip, context.config.device_port)}, wait, context);
        if (up) return 0;
        if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return exit_by_signal(stopped->signal);
        return provisioning_error("the device does not boot: " + std::get<BootTimedOut>(up.error()).message);
    }

    static Result<Environment> environment_of(const StageContext& context) {
        const auto secrets = context.job.test_secrets();
        if (!secrets) return fail(secrets.error());
        return test_environment(Environment::inherited(), context.config, *secrets);
    }

    static StageResult run_script(const char* stage, std::chrono::seconds timeout, StageContext& context) {
        const auto script = read_stage_script(context.config, stage, timeout);
        if (!script) return stage_error("ConfigError", script.error().message());
        auto environment = environment_of(context);
        if (!environment) return job_error(environment.error().message());
        return run_stage_script(*script, *environment, context);
    }

    static StageResult recover(StageContext& context) {
        auto script = read_stage_script(context.config, "recovery", 120s);
        if (!script) return stage_error("ConfigError", script.error().message());
        if (script->commands.empty()) return 0;
        auto environment = environment_of(context);
        if (!environment) return job_error(environment.error().message());
        context.log.info("Provisioning failed or was stopped: running recovery_commands");
        const bool is_stopped = context.interrupt.wait_for(0ms) != 0;
        UninterruptedRunner commands(context.commands, is_stopped ? 8s : script->timeout);
        for (const auto& text : script->commands) {
            Command command;
            command.argv = {"/bin/sh", "-c", text};
            command.environment = &*environment;
            command.timeout = script->timeout;
            const auto result = commands.run(command);
            if (!succeeded(result)) {
                return recovery_error("the recovery command " + text + " failed: " + describe(result));
            }
        }
        return 0;
    }
};

}  // namespace

std::unique_ptr<Connector> make_command() {
    return std::make_unique<CommandConnector>();
}

}  // namespace trebuchet
