#pragma once

#include "agent/config/config.hpp"
#include "agent/config/effective_settings.hpp"
#include "agent/config/load_config.hpp"
#include "common/yaml/yaml.hpp"

#include <string>
#include <vector>

namespace trebuchet {

/// Reads the reference agent's keys, and `exported`, from the main file's map into `config`. Ignores the key
/// `trebuchet`.
void read_agent_section(const YamlNode& map, const std::string& file, Config& config,
                        std::vector<ConfigProblem>& problems, std::vector<ConfigProblem>& warnings,
                        EffectiveSettings& settings);

}  // namespace trebuchet
