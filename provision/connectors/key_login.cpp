#include "provision/connectors/key_login.hpp"

#include "provision/log/tries_left.hpp"

#include <cstdlib>
#include <filesystem>

namespace trebuchet {

namespace {

using namespace std::chrono_literals;

constexpr auto copy_time = 30s;
constexpr auto copy_pause = 60s;
constexpr int more_copies = 9;

}  // namespace

StageResult install_key_or_restart(const KeyLogin& login, StageContext& context, bool& was_reached,
                                   const std::function<StageResult()>& wait_until_back) {
    auto target = device_target(context, true, login.fallback_password);
    if (!target) return stage_error("ConfigError", target.error().message());
    const auto same = target->clone();
    Ssh ssh(std::move(*target), context.commands);
    const auto reached = device_login_probe(same, ssh, context.commands).check();
    was_reached = reached.has_value();
    if (was_reached) return 0;
    if (const int signal = context.interrupt.wait_for(0s); signal != 0) return exit_by_signal(signal);
    const auto why = "cannot log in to " + ssh.name() + ": " + reached.error().message();
    context.log.warning(why + "; restarting the device");
    auto cycled = power_cycle(context, login.rule);
    if (!cycled) cycled.error().message = "Error running reboot script! " + cycled.error().message + "; " + why;
    if (!cycled || *cycled != 0) return cycled;
    return wait_until_back();
}

StageResult wait_for_key_login(const KeyLogin& login, const BootWait& defaults, StageContext& context) {
    const auto wait = boot_wait(context.config, defaults);
    if (!wait) return stage_error("ConfigError", wait.error().message());
    auto target = device_target(context, true, login.fallback_password);
    if (!target) return stage_error("ConfigError", target.error().message());
    const auto same = target->clone();
    Ssh ssh(std::move(*target), context.commands);
    context.log.info("Checking to see if the device is available.");
    const auto up = wait_for_device({device_login_probe(same, ssh, context.commands)}, *wait, context);
    if (up) return 0;
    if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return exit_by_signal(stopped->signal);
    return provisioning_error("Failed to boot test image! " + std::get<BootTimedOut>(up.error()).message);
}

StageResult copy_key_patiently(StageContext& context) {
    auto target = device_target(context, true);
    if (!target) return stage_error("ConfigError", target.error().message());
    const auto same = target->clone();
    Ssh ssh(std::move(*target), context.commands);
    const auto probe = device_login_probe(same, ssh, context.commands, copy_time);
    context.log.info("Copying the agent's SSH public key to the DUT.");
    for (int left = more_copies;; --left) {
        const auto done = probe.check();
        if (done) return 0;
        if (const int signal = context.interrupt.wait_for(0s); signal != 0) return exit_by_signal(signal);
        if (left == 0) {
            return provisioning_error("Cannot copy the agent's SSH key to the DUT: " + done.error().message());
        }
        context.log.warning(done.error().message() + "; trying again in 60 s, " + tries_left(left));
        if (const int signal = context.interrupt.wait_for(copy_pause); signal != 0) return exit_by_signal(signal);
    }
}

Result<FirstUser> first_user(const JobFile& job) {
    const auto name = job.test_username();
    if (!name) return fail(name.error());
    auto password = job.test_password();
    if (!password) return fail(password.error());
    return FirstUser{*name, *password ? std::move(**password) : SecretString("ubuntu")};
}

std::string own_public_key(const ConnectorConfig& config) {
    if (!config.device_key_file.empty()) return config.device_key_file + ".pub";
    const char* home = std::getenv("HOME");
    const auto folder = std::filesystem::path(home == nullptr ? "" : home) / ".ssh";
    std::error_code ignored;
    for (const auto* name : {"id_rsa.pub", "id_ed25519.pub", "id_ecdsa.pub"}) {
        if (std::filesystem::exists(folder / name, ignored)) return folder / name;
    }
    return folder / "id_rsa.pub";
}

}  // namespace trebuchet
