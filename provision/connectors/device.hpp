#pragma once

#include "common/base/result.hpp"
#include "provision/boot/boot_waiter.hpp"
#include "provision/connectors/key_spec.hpp"
#include "provision/ssh/ssh.hpp"
#include "provision/stages/stage.hpp"

#include <string_view>
#include <vector>

namespace trebuchet {

// Steps that several connector types share. A StageResult of 0 means: continue.

[[nodiscard]] tl::unexpected<StageError> provisioning_error(std::string message);
/// Fails the stage with exit code 46: the agent takes the device offline.
[[nodiscard]] tl::unexpected<StageError> recovery_error(std::string message);

/// The device's ssh: `device_ip`, `device_port`, `device_key_file` and the job's test_username. `with_password` adds
/// the job's test_password (or `fallback`), unless there is a key file.
[[nodiscard]] Result<SshTarget> device_target(const StageContext& context, bool with_password,
                                              std::string_view fallback = "ubuntu");
/// The control host's ssh.
[[nodiscard]] Result<SshTarget> control_target(const ConnectorConfig& config);

/// Succeeds when a login works. With a password it also installs our public key, so that test commands need no
/// password. `ssh` must outlive the probe. `timeout` is for installing the key.
[[nodiscard]] BootProbe device_login_probe(const SshTarget& target, Ssh& ssh, CommandRunner& commands,
                                           std::chrono::seconds timeout = std::chrono::seconds(60));

/// When a failed power switch takes the device offline (46). A missing configuration never does (1).
enum class PowerRule {
    failure_is_recovery,         ///< 46 if power-cycling fails for any reason
    failed_command_is_recovery,  ///< 46, except if the power command is not installed: then 1
    timeout_is_recovery,         ///< 46 only if the switch timed out, otherwise 1
    never_recovery,              ///< always 1
};
[[nodiscard]] StageResult power_cycle(StageContext& context, PowerRule rule);
/// Does nothing if power control is not configured. A failure is only logged.
void power_off(StageContext& context, CommandRunner& commands);

[[nodiscard]] tl::expected<void, BootFailure> wait_for_device(const std::vector<BootProbe>& probes,
                                                              const BootWait& wait, StageContext& context);

/// Reads the keys `boot_timeout`, `boot_first_look` and `boot_poll_interval`, all in seconds.
[[nodiscard]] Result<BootWait> boot_wait(const ConnectorConfig& config, const BootWait& defaults);
/// Declares these keys, with their defaults as text.
[[nodiscard]] std::vector<KeySpec> boot_keys(std::string_view timeout, std::string_view first_look,
                                             std::string_view interval);

/// For a device that restarts: first check after 70 s, then every 10 s; timeout 360 s.
[[nodiscard]] BootWait restart_wait();
/// Logs in to the device. If that fails, power-cycles the device and waits for it. A power switch that fails gives 46
/// as `rule` says. A device that does not come back gives 1: the reason may be the job, such as a wrong user.
[[nodiscard]] StageResult reach_device(Ssh& ssh, PowerRule rule, const BootWait& wait, StageContext& context);

/// For Connector::problems() of types that require `device_ip`.
[[nodiscard]] std::vector<std::string> missing_device(const ConnectorConfig& config);

}  // namespace trebuchet
