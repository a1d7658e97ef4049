#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Number of bytes of an incomplete UTF-8 character at the end of `text`: 0 to 3.
[[nodiscard]] std::size_t incomplete_utf8_tail(std::string_view text);

/// Replaces every byte that is not part of valid UTF-8 by U+FFFD.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

/// The candidate that `word` is probably a typo of, or "".
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// Quotes untrusted text for a message: escapes control characters and quotes, and cuts after `limit` bytes.
[[nodiscard]] std::string quoted(std::string_view text, std::size_t limit = 80);

}  // namespace trebuchet
