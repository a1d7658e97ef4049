#pragma once

#include <string>
#include <string_view>

namespace trebuchet {

/// Quotes `text` as one word of a POSIX shell. `text` must not contain NUL.
[[nodiscard]] std::string shell_quote(std::string_view text);

}  // namespace trebuchet
