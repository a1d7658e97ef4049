#pragma once

#include <string>
#include <string_view>

namespace trebuchet {

/// `text` as one word of a POSIX shell. It must not hold NUL.
[[nodiscard]] std::string shell_quote(std::string_view text);

}  // namespace trebuchet
