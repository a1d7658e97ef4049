#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <string_view>

namespace trebuchet {

/// Parses "3600" (seconds) or days, hours, minutes and seconds in this order, such as "2h30m" or "1d". At most ten
/// years.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace trebuchet
