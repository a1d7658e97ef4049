#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// JSON that another program, host or phase wrote. A discarded value (`is_discarded()`) if it is no JSON, or nested
/// more than 100 levels deep: copying and printing need stack for each level.
[[nodiscard]] nlohmann::json parse_foreign_json(std::string_view text);

}  // namespace trebuchet
