#pragma once

#include "agent/config/config.hpp"
#include "agent/config/effective_settings.hpp"
#include "agent/config/load_config.hpp"
#include "common/yaml/yaml.hpp"

#include <string>
#include <vector>

namespace trebuchet {

/// Copies the settings in `section` to `config`. Unknown keys are problems. An empty or missing section (null) sets
/// nothing, but `settings` gets all keys. `prefix`: text before each key in messages, "trebuchet." in the main file and
/// "" in trebuchet.yaml.
void read_trebuchet_section(const YamlNode& section, const std::string& file, const std::string& prefix,
                            TrebuchetConfig& config, std::vector<ConfigProblem>& problems, EffectiveSettings& settings);

}  // namespace trebuchet
