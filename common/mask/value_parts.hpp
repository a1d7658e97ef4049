#pragma once

#include "common/secret/secret_string.hpp"

#include <string_view>
#include <vector>

namespace trebuchet {

[[nodiscard]] std::string_view without_blanks(std::string_view text);
/// Without one pair of quotes (' or ") around it.
[[nodiscard]] std::string_view without_quotes(std::string_view text);

/// The lines of a text without the blanks and line ends around them; none is empty.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

/// `text` with `line_end` in place of each of its line ends (LF, or LF behind any number of CR).
[[nodiscard]] WipedString with_line_ends(std::string_view text, std::string_view line_end);

/// `text` without its LFs and the blanks behind them.
[[nodiscard]] WipedString without_indentation(std::string_view text);

/// The strings in a text that is a JSON object or array, but no keys; none if it is something else.
[[nodiscard]] std::vector<SecretString> json_leaves(std::string_view text);

/// Whether somebody who guesses would try this soon, or a log is full of it: a common word or name, or one character
/// again and again.
[[nodiscard]] bool is_common(std::string_view text);

/// Whether a part of a value is a secret of its own: long enough, not common, and more than punctuation or one of the
/// lines -----BEGIN ...----- and -----END ...-----.
[[nodiscard]] bool is_worth_masking(std::string_view part);

}  // namespace trebuchet
