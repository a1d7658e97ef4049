#pragma once

#include "common/yaml/yaml.hpp"

#include <nlohmann/json.hpp>

namespace trebuchet {

/// The JSON that Python's json.dumps(yaml.safe_load(…)) would make of it: null, booleans, integers, floats, strings.
/// Keys are strings as they are written. What JSON has no form for (timestamps, infinity, NaN) becomes its text;
/// integers beyond 64 bits become floats.
[[nodiscard]] nlohmann::json yaml_to_json(const YamlNode& node);

}  // namespace trebuchet
