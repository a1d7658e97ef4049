#pragma once

#include <string_view>

namespace trebuchet {

/// The name that HTML 4 has for a character outside of ASCII, without & and ;; empty if it has none.
[[nodiscard]] std::string_view html4_name(char32_t code);

/// The name, the shortest if there are several, that HTML 5 has for a character of ASCII; empty if it has none.
[[nodiscard]] std::string_view html5_ascii_name(char32_t code);

}  // namespace trebuchet
