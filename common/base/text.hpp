#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Bytes at the end of `text` that begin a UTF-8 character without finishing it: 0 to 3.
[[nodiscard]] std::size_t incomplete_utf8_tail(std::string_view text);

/// `text` with every byte that is not part of valid UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

/// The candidate nearest to `word` if it is near enough to be a slip of the hand, else "".
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// Control characters and quotes escaped, cut at `limit` bytes: for quoting hostile text in a message.
[[nodiscard]] std::string quoted(std::string_view text, std::size_t limit = 80);

}  // namespace trebuchet
