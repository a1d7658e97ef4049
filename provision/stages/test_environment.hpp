#pragma once

#include "common/process/environment.hpp"
#include "provision/config/connector_config.hpp"
#include "provision/job/job_file.hpp"

namespace trebuchet {

/// The environment of test commands: `own`, then the configuration's `env`, DEVICE_IP and DEVICE_PORT (from
/// device_ip and device_port, unless `env` names them), AGENT_NAME and REBOOT_SCRIPT (its commands joined by ";"), then
/// the job's secrets. An empty value of the configuration unsets its variable. An empty secret stays set to ""; null
/// unsets.
[[nodiscard]] Environment test_environment(Environment own, const ConnectorConfig& config, const JobSecrets& secrets);

}  // namespace trebuchet
