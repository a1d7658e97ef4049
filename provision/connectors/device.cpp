#include "provision/connectors/device.hpp"

#include "common/base/text.hpp"
#include "provision/boot/boot_probes.hpp"
#include "provision/connectors/leftovers.hpp"
#include "provision/power/make_power.hpp"
#include "provision/script/stage_script.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr const char* default_control_user = "ubuntu";

/// These values become arguments of ssh: a leading "-" would be an option.
Result<void> check_word(const std::string& key, const std::string& value) {
    if (value.empty()) return fail(key + " is missing");
    if (value.front() == '-') return fail(key + ": found " + trebuchet::quoted(value) + ", expected a name");
    return {};
}

Result<void> install_key(const SshTarget& target, std::chrono::seconds timeout, CommandRunner& commands) {
    auto environment = Environment::inherited();
    environment.set("SSHPASS", target.password.reveal());
    Command copy;
    copy.argv = {"sshpass",     "-e",
                 "ssh-copy-id", "-f",
                 "-o",          "StrictHostKeyChecking=no",
                 "-o",          "UserKnownHostsFile=/dev/null",
                 "-o",          "ConnectTimeout=10"};
    if (!target.key_file.empty()) copy.argv.insert(copy.argv.end(), {"-i", target.key_file + ".pub"});
    if (target.port != 0) copy.argv.insert(copy.argv.end(), {"-p", std::to_string(target.port)});
    copy.argv.push_back(target.user + "@" + target.host);
    copy.environment = &environment;
    copy.timeout = timeout;
    copy.capture_output = true;
    const auto result = commands.run(copy);
    if (!succeeded(result)) return fail("ssh-copy-id: " + describe(result));
    return {};
}

bool takes_offline(PowerError::Kind kind, PowerRule rule) {
    if (rule == PowerRule::never_recovery) return false;
    switch (kind) {
        case PowerError::Kind::timed_out:
            return true;
        case PowerError::Kind::failed:
            return rule != PowerRule::timeout_is_recovery;
        case PowerError::Kind::not_installed:
            return rule == PowerRule::failure_is_recovery;
        case PowerError::Kind::refused:
        case PowerError::Kind::interrupted:
            break;
    }
    return false;
}

}  // namespace

tl::unexpected<StageError> provisioning_error(std::string message) {
    return stage_error("ProvisioningError", std::move(message));
}

tl::unexpected<StageError> recovery_error(std::string message) {
    return tl::unexpected(StageError{"RecoveryError", std::move(message), std::nullopt, exit_recovery_failed});
}

Result<SshTarget> device_target(const StageContext& context, bool with_password, std::string_view fallback) {
    const auto& config = context.config;
    if (auto done = check_word("device_ip", config.device_ip); !done) return fail(done.error());
    const auto user = context.job.test_username();
    if (!user) return fail(user.error());
    SshTarget target{config.device_ip, config.device_port, *user, config.device_key_file, SecretString()};
    if (!with_password) return target;
    auto password = context.job.test_password();
    if (!password) return fail(password.error());
    target.password = *password ? std::move(**password) : SecretString(fallback);
    return target;
}

Result<SshTarget> control_target(const ConnectorConfig& config) {
    if (auto done = check_word("control_host", config.control_host); !done) return fail(done.error());
    const auto user = config.control_user.empty() ? default_control_user : config.control_user;
    if (auto done = check_word("control_user", user); !done) return fail(done.error());
    SshTarget target{config.control_host, config.control_port, user, config.control_key_file, SecretString()};
    target.mark = new_mark(config.agent_name.empty() ? config.device_ip : config.agent_name);
    return target;
}

BootProbe device_login_probe(const SshTarget& target, Ssh& ssh, CommandRunner& commands, std::chrono::seconds timeout) {
    if (target.password.empty()) return ssh_login_probe(ssh);
    const auto known = std::make_shared<SshTarget>(target.clone());
    return {"a login as " + ssh.name(), [known, &commands, timeout]() -> Result<void> {
                if (!known->key_file.empty()) {
                    Ssh by_key({known->host, known->port, known->user, known->key_file, SecretString()}, commands);
                    auto done = by_key.check_login();
                    // Only a device that is up and does not know the key, such as a new one, gets it by the password.
                    if (done || done.error().message().find("Permission denied") == std::string::npos) return done;
                }
                return install_key(*known, timeout, commands);
            }};
}

StageResult power_cycle(StageContext& context, PowerRule rule) {
    const auto power =
        make_power(context.config, context.commands, {context.log, context.interrupt, context.clock, context.jitter});
    if (!power) return stage_error("ConfigError", power.error().message());
    context.log.info("Power-cycling the device");
    const auto done = (*power)->cycle();
    if (done) return 0;
    const auto& error = done.error();
    if (const int signal = context.interrupt.wait_for(0ms); signal != 0) return exit_by_signal(signal);
    const auto message = "cannot power-cycle the device: " + error.message;
    return takes_offline(error.kind, rule) ? recovery_error(message) : provisioning_error(message);
}

void power_off(StageContext& context, CommandRunner& commands) {
    const auto kind = context.config.scalars.find("power");
    const bool is_typed = kind != context.config.scalars.end() && !kind->second.empty();
    if (!is_typed && context.config.poweroff_script.empty()) return;
    const auto power =
        make_power(context.config, commands, {context.log, context.interrupt, context.clock, context.jitter});
    if (!power) return context.log.warning(power.error().message());
    // After a stop signal it switches but does not wait for the result: that is not a failure.
    const auto done = (*power)->off();
    if (!done && done.error().kind != PowerError::Kind::interrupted) context.log.warning(done.error().message);
}

tl::expected<void, BootFailure> wait_for_device(const std::vector<BootProbe>& probes, const BootWait& wait,
                                                StageContext& context) {
    return wait_for_boot(probes, wait, {context.log, context.interrupt, context.clock}).map([](auto /*time*/) {});
}

Result<BootWait> boot_wait(const ConnectorConfig& config, const BootWait& defaults) {
    using Seconds = std::chrono::seconds;
    auto wait = defaults;
    const auto read = [&](const char* key, std::chrono::milliseconds& value) -> Result<void> {
        const auto given = read_seconds(config, key, std::chrono::duration_cast<Seconds>(value));
        if (!given) return fail(given.error());
        value = *given;
        return {};
    };
    if (auto done = read("boot_timeout", wait.timeout); !done) return fail(done.error());
    if (auto done = read("boot_first_look", wait.initial_delay); !done) return fail(done.error());
    if (auto done = read("boot_poll_interval", wait.interval); !done) return fail(done.error());
    wait.interval = std::max<std::chrono::milliseconds>(wait.interval, 1s);
    return wait;
}

std::vector<KeySpec> boot_keys(std::string_view timeout, std::string_view first_look, std::string_view interval) {
    return {
        {"boot_timeout", KeyKind::seconds, timeout, "timeout for the device to boot"},
        {"boot_first_look", KeyKind::seconds, first_look, "delay before the first check of a device that restarts"},
        {"boot_poll_interval", KeyKind::seconds, interval, "time between two checks, at least 1"},
    };
}

BootWait restart_wait() {
    BootWait wait;
    wait.initial_delay = 70s;
    wait.timeout = 360s;
    wait.interval = 10s;
    return wait;
}

StageResult reach_device(Ssh& ssh, PowerRule rule, const BootWait& wait, StageContext& context) {
    const auto reached = ssh.check_login();
    if (reached) return 0;
    if (const int signal = context.interrupt.wait_for(0ms); signal != 0) return exit_by_signal(signal);
    context.log.warning(reached.error().message() + "; restarting the device");
    auto cycled = power_cycle(context, rule);
    if (!cycled) cycled.error().message = reached.error().message() + "; " + cycled.error().message;
    if (!cycled || *cycled != 0) return cycled;
    const auto up = wait_for_device({ssh_login_probe(ssh)}, wait, context);
    if (up) return 0;
    if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return exit_by_signal(stopped->signal);
    return provisioning_error("Failed to boot test image! " + std::get<BootTimedOut>(up.error()).message);
}

std::vector<std::string> missing_device(const ConnectorConfig& config) {
    if (!config.device_ip.empty()) return {};
    return {"device_ip is missing: expected the address of the device"};
}

}  // namespace trebuchet
