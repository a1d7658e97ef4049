#pragma once

#include "common/base/result.hpp"
#include "provision/stages/stage.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace trebuchet {

/// A stage's commands from the configuration, each run by /bin/sh -c.
struct StageScript {
    std::string key;
    std::vector<std::string> commands;
    std::chrono::seconds timeout{0};  ///< per command
    int retries = 0;                  ///< per command
};

/// Reads the keys NAME_cmds (for "recovery": recovery_commands), NAME_timeout and NAME_retries.
[[nodiscard]] Result<StageScript> read_stage_script(const ConnectorConfig& config, const std::string& name,
                                                    std::chrono::seconds timeout);

[[nodiscard]] Result<std::chrono::seconds> read_seconds(const ConnectorConfig& config, const std::string& key,
                                                        std::chrono::seconds fallback);

/// Runs the commands in order; their output goes to ours. Retries a failed command after 1 to 30 s and stops when one
/// has failed in all its tries. A command that exits with 46 says that the device cannot be recovered: that is passed
/// on without a retry.
[[nodiscard]] StageResult run_stage_script(const StageScript& script, const Environment& environment,
                                           StageContext& context);

}  // namespace trebuchet
