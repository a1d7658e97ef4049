#pragma once

#include "agent/config/config.hpp"
#include "agent/config/effective_settings.hpp"
#include "agent/config/load_config.hpp"
#include "common/yaml/yaml.hpp"

#include <string>
#include <vector>

namespace trebuchet {

/// Reads the keys of the reference agent from the main file's map into `config`, `exported` included, and leaves the
/// `trebuchet` key alone.
void read_agent_section(const YamlNode& map, const std::string& file, Config& config,
                        std::vector<ConfigProblem>& problems, std::vector<ConfigProblem>& warnings,
                        EffectiveSettings& settings);

}  // namespace trebuchet
