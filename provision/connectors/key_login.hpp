#pragma once

#include "provision/connectors/device.hpp"
#include "provision/seed/cloud_config.hpp"

#include <functional>
#include <string_view>

namespace trebuchet {

// Logins to a device on which a provision installs our key by the job's password, each time anew.

struct KeyLogin {
    std::string_view fallback_password = "ubuntu";  ///< where the job sets none
    PowerRule rule = PowerRule::failed_command_is_recovery;
};

/// Installs our key on the device, once. If that fails or takes 60 s, power-cycles the device and waits for it by
/// `wait_until_back`. `was_reached` says whether it went without.
[[nodiscard]] StageResult install_key_or_restart(const KeyLogin& login, StageContext& context, bool& was_reached,
                                                 const std::function<StageResult()>& wait_until_back);

/// Waits until our key is installed. `boot_timeout` and the other boot keys of the configuration win over `defaults`.
[[nodiscard]] StageResult wait_for_key_login(const KeyLogin& login, const BootWait& defaults, StageContext& context);

/// For a device that was just installed: copies our key to it, in up to ten tries with 60 s between them.
[[nodiscard]] StageResult copy_key_patiently(StageContext& context);

/// The user of the test phase, for an image.
[[nodiscard]] Result<FirstUser> first_user(const JobFile& job);

/// The file with our public key: `device_key_file` with .pub, else the first of ~/.ssh/id_rsa.pub, id_ed25519.pub and
/// id_ecdsa.pub that there is, else the first of these names.
[[nodiscard]] std::string own_public_key(const ConnectorConfig& config);

}  // namespace trebuchet
