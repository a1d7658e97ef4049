#include "provision/connectors/oem_script.hpp"

#include "common/base/text.hpp"
#include "provision/connectors/key_login.hpp"
#include "provision/job/job_url.hpp"
#include "provision/process/shell_words.hpp"
#include "provision/script/stage_script.hpp"

#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr auto restart_command_time = 60s;

BootWait oem_wait() {
    BootWait wait;
    wait.initial_delay = 90s;
    wait.timeout = 5400s;
    wait.interval = 90s;
    wait.report_every = 300s;
    return wait;
}

/// The exit code does not matter, because the connection may end first.
StageResult restart(StageContext& context) {
    auto target = device_target(context, false);
    if (!target) return stage_error("ConfigError", target.error().message());
    Ssh ssh(std::move(*target), context.commands);
    SshCall call;
    call.timeout = restart_command_time;
    context.log.info("Rebooting the device before provisioning");
    const auto result = ssh.run("sudo reboot", call);
    if (const auto* stopped = std::get_if<CommandInterrupted>(&result.end)) return exit_by_signal(stopped->signal);
    if (!std::holds_alternative<CommandTimedOut>(result.end)) return 0;
    return stage_error("TimeoutExpired", "sudo reboot on " + ssh.name() + " did not end within " +
                                             std::to_string(restart_command_time.count()) + " s");
}

class OemScript final : public Connector {
  public:
    explicit OemScript(OemRecoveryKind kind) : kind_(kind) {}

    [[nodiscard]] ConnectorKeys keys() const override {
        return {oem_script_keys(),
                {{"url", KeyKind::text, "", "ISO image of the OEM's system, which the device downloads", true}}};
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        return missing_device(config);
    }

  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        const auto url = context.job.provision_text("url");
        if (!url) return job_error(url.error().message());
        if (!*url || (*url)->empty()) return provisioning_error("No image url provided");
        auto result = provision_by_oem_script(kind_, **url, context);
        context.log.info("END provision");
        return result;
    }

  private:
    OemRecoveryKind kind_;
};

}  // namespace

std::vector<KeySpec> oem_program_keys(std::string_view key, std::string_view fallback, std::string_view time_key,
                                      std::string_view time) {
    return {{key, KeyKind::command, fallback,
             "program on the agent's host that installs the image; the usual one comes with "
             "testflinger-device-connectors"},
            {time_key, KeyKind::seconds, time, "its time limit"}};
}

std::vector<KeySpec> oem_script_keys() {
    auto keys = oem_program_keys("recovery_script", "recovery-from-iso.sh", "recovery_script_timeout", "5400");
    const auto boot = boot_keys("5400", "90", "90");
    keys.insert(keys.end(), boot.begin(), boot.end());
    return keys;
}

StageResult run_oem_program(const OemProgram& program, StageContext& context) {
    const auto given = context.config.scalars.find(program.key);
    const bool is_given = given != context.config.scalars.end() && !given->second.empty();
    const auto limit = read_seconds(context.config, std::string(program.key) + "_timeout", program.time);
    if (!limit) return stage_error("ConfigError", limit.error().message());
    auto words = split_shell_words(is_given ? given->second : program.fallback);
    if (!words) return stage_error("ConfigError", std::string(program.key) + ": " + words.error().message());
    const auto name = words->front();
    Command command;
    command.argv = std::move(*words);
    command.argv.insert(command.argv.end(), program.arguments.begin(), program.arguments.end());
    command.timeout = *limit;
    const auto result = context.commands.run(command);
    if (succeeded(result)) return 0;
    if (const auto* stopped = std::get_if<CommandInterrupted>(&result.end)) return exit_by_signal(stopped->signal);
    if (std::holds_alternative<CommandTimedOut>(result.end)) {
        return stage_error("TimeoutExpired", std::string(program.failed) + ": " + name + " did not end within " +
                                                 std::to_string(limit->count()) + " s");
    }
    std::string hint;
    if (std::holds_alternative<CommandNotStarted>(result.end)) {
        hint = ". It comes with testflinger-device-connectors: put it on the PATH of the agent, or set " +
               std::string(program.key);
    }
    return provisioning_error(std::string(program.failed) + ": " + name + ": " + describe(result.end) + hint);
}

StageResult provision_by_oem_script(OemRecoveryKind kind, const std::string& url, StageContext& context) {
    if (auto done = check_argument_url(url, "provision_data.url"); !done) return job_error(done.error().message());
    const KeyLogin login;
    const auto wait = [&] { return wait_for_key_login(login, oem_wait(), context); };
    bool was_reached = false;
    if (auto done = install_key_or_restart(login, context, was_reached, wait); !done || *done != 0) return done;
    if (was_reached) {
        if (auto done = restart(context); !done || *done != 0) return done;
        if (auto done = wait(); !done || *done != 0) return done;
    }
    context.log.info("Running recovery script");
    OemProgram program{"recovery_script", "recovery-from-iso.sh", 5400s, "Recovery script failed", {}};
    if (kind == OemRecoveryKind::ubuntu) program.arguments.emplace_back("--ubr");
    program.arguments.insert(program.arguments.end(), {"--dut-iso-url", url, "--inject-ssh-key",
                                                       own_public_key(context.config), "-t", context.config.device_ip});
    if (auto done = run_oem_program(program, context); !done || *done != 0) return done;
    return wait();
}

std::unique_ptr<Connector> make_oem_script_connector(OemRecoveryKind kind) {
    return std::make_unique<OemScript>(kind);
}

}  // namespace trebuchet
