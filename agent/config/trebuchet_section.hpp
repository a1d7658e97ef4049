#pragma once

#include "agent/config/config.hpp"
#include "agent/config/load_config.hpp"
#include "common/yaml/yaml.hpp"

#include <string>
#include <vector>

namespace trebuchet {

/// Puts what `section` sets into `config` and leaves the rest of it as it is. A key that we don't know is a problem.
/// `prefix` stands before each key in messages: "trebuchet." in the main file, "" in trebuchet.yaml.
void read_trebuchet_section(const YamlNode& section, const std::string& file, const std::string& prefix,
                            TrebuchetConfig& config, std::vector<ConfigProblem>& problems);

}  // namespace trebuchet
