#pragma once

#include "common/secret/secret_string.hpp"

#include <string_view>

namespace trebuchet {

/// UTF-8 with all its letters, also those beyond ASCII, in upper or lower case. Invalid UTF-8 stays.
[[nodiscard]] WipedString upper_case(std::string_view text);
[[nodiscard]] WipedString lower_case(std::string_view text);

}  // namespace trebuchet
