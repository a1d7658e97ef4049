#pragma once

#include "common/base/result.hpp"
#include "provision/stages/stage.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace trebuchet {

/// Commands of the site for a stage, each for /bin/sh -c.
struct StageScript {
    std::string key;
    std::vector<std::string> commands;
    std::chrono::seconds timeout{0};  ///< of each
    int retries = 0;                  ///< of each that failed
};

/// The keys NAME_cmds (of "recovery": recovery_commands), NAME_timeout and NAME_retries of the configuration.
[[nodiscard]] Result<StageScript> read_stage_script(const ConnectorConfig& config, const std::string& name,
                                                    std::chrono::seconds timeout);

[[nodiscard]] Result<std::chrono::seconds> read_seconds(const ConnectorConfig& config, const std::string& key,
                                                        std::chrono::seconds fallback);

/// Runs the commands, one after the other, with their output as ours, until one has failed in all its tries, which are
/// 1 to 30 s apart. An exit code of 46 is passed on: the command says that the device can't be recovered.
[[nodiscard]] StageResult run_stage_script(const StageScript& script, const Environment& environment,
                                           StageContext& context);

}  // namespace trebuchet
