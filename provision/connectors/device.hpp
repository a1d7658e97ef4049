#pragma once

#include "common/base/result.hpp"
#include "provision/boot/boot_waiter.hpp"
#include "provision/connectors/key_spec.hpp"
#include "provision/ssh/ssh.hpp"
#include "provision/stages/stage.hpp"

#include <string_view>
#include <vector>

namespace trebuchet {

/// What provision does to devices of more than one type. Where a StageResult is returned, 0 means to go on.

[[nodiscard]] tl::unexpected<StageError> provisioning_error(std::string message);
/// The agent takes the device offline.
[[nodiscard]] tl::unexpected<StageError> recovery_error(std::string message);

/// The device's ssh: `device_ip`, `device_port`, `device_key_file`, the job's test_username. With a key file, or where
/// `with_password` is not asked for, without a password; else with test_password, by default "ubuntu".
[[nodiscard]] Result<SshTarget> device_target(const StageContext& context, bool with_password);
/// The control host's.
[[nodiscard]] Result<SshTarget> control_target(const ConnectorConfig& config);

/// A login on the device. Where there is a password it leaves our public key there, so that test commands need none.
/// `ssh` must outlive the probe.
[[nodiscard]] BootProbe device_login_probe(const SshTarget& target, Ssh& ssh, CommandRunner& commands);

enum class PowerRule {
    failure_is_recovery,  ///< 46 if the device could not be power-cycled
    timeout_is_recovery,  ///< 46 only if the switch did not answer in time, else 1
};
[[nodiscard]] StageResult power_cycle(StageContext& context, PowerRule rule);
/// If the configuration says how. What goes wrong is only logged.
void power_off(StageContext& context, CommandRunner& commands);

[[nodiscard]] tl::expected<void, BootFailure> wait_for_device(const std::vector<BootProbe>& probes,
                                                              const BootWait& wait, StageContext& context);

/// A wait with the limits of the configuration: `boot_timeout`, `boot_first_look`, `boot_poll_interval`, all in
/// seconds.
[[nodiscard]] Result<BootWait> boot_wait(const ConnectorConfig& config, const BootWait& defaults);
/// These keys, with the defaults as text.
[[nodiscard]] std::vector<KeySpec> boot_keys(std::string_view timeout, std::string_view first_look,
                                             std::string_view interval);

/// For a device that is restarted: left alone for 60 s, then looked at each 10 s, 360 s in all.
[[nodiscard]] BootWait restart_wait();
/// A device on which we can't log in is power-cycled, and has so long to come back; 46 if it doesn't.
[[nodiscard]] StageResult reach_device(Ssh& ssh, PowerRule rule, const BootWait& wait, StageContext& context);

/// What is wrong where `device_ip` is missing, for types that can't do without it.
[[nodiscard]] std::vector<std::string> missing_device(const ConnectorConfig& config);

/// Before provision and runtest, where there is a control host: `what`, "provisioning" or "test", is asked of its
/// service at port 8000, which need not be there.
void set_up_control_host(const char* what, StageContext& context);

}  // namespace trebuchet
