#pragma once

#include "agent/config/config.hpp"
#include "agent/config/effective_settings.hpp"
#include "agent/config/load_config.hpp"
#include "common/yaml/yaml.hpp"

#include <string>
#include <vector>

namespace trebuchet {

/// Puts what `section` sets into `config` and leaves the rest of it as it is. A key that we don't know is a problem.
/// An empty or absent section (null) sets nothing; `settings` gets all keys all the same.
/// `prefix` stands before each key in messages: "trebuchet." in the main file, "" in trebuchet.yaml.
void read_trebuchet_section(const YamlNode& section, const std::string& file, const std::string& prefix,
                            TrebuchetConfig& config, std::vector<ConfigProblem>& problems, EffectiveSettings& settings);

}  // namespace trebuchet
