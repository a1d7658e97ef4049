#pragma once

#include <string_view>

namespace trebuchet {

/// HTML 4's name of a non-ASCII character, without "&" and ";". Empty if it has none.
[[nodiscard]] std::string_view html4_name(char32_t code);

/// HTML 5's shortest name of an ASCII character. Empty if it has none.
[[nodiscard]] std::string_view html5_ascii_name(char32_t code);

}  // namespace trebuchet
