#pragma once

#include "common/yaml/yaml.hpp"

#include <nlohmann/json.hpp>

namespace trebuchet {

/// Converts to JSON as Python's json.dumps(yaml.safe_load(…)) does. Keys become strings as written. Values without a
/// JSON form (timestamps, infinity, NaN) become their text; integers beyond 64 bits become floats.
[[nodiscard]] nlohmann::json yaml_to_json(const YamlNode& node);

}  // namespace trebuchet
