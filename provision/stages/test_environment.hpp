#pragma once

#include "common/process/environment.hpp"
#include "provision/config/connector_config.hpp"
#include "provision/job/job_file.hpp"

namespace trebuchet {

/// The environment of test commands. A later source overrides an earlier one:
///
/// 1. `own`, without its empty variables
/// 2. DEVICE_IP and DEVICE_PORT, from device_ip and device_port
/// 3. the configuration's `env`; an empty value unsets the variable
/// 4. AGENT_NAME and REBOOT_SCRIPT (commands joined by ";"); unset if not configured
/// 5. the job's secrets; "" sets the variable to "", null unsets it
[[nodiscard]] Environment test_environment(Environment own, const ConnectorConfig& config, const JobSecrets& secrets);

}  // namespace trebuchet
