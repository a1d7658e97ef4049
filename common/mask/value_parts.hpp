#pragma once

#include "common/secret/secret_string.hpp"

#include <string_view>
#include <vector>

namespace trebuchet {

[[nodiscard]] std::string_view without_blanks(std::string_view text);
/// Removes one pair of surrounding quotes (' or ").
[[nodiscard]] std::string_view without_quotes(std::string_view text);

/// The non-empty lines of a text, without surrounding blanks and line ends.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

/// Replaces each line end (LF after any number of CRs) by `line_end`.
[[nodiscard]] WipedString with_line_ends(std::string_view text, std::string_view line_end);

/// Removes LFs and the blanks after them.
[[nodiscard]] WipedString without_indentation(std::string_view text);

/// The string values, without keys, in a JSON object or array. Empty for other text.
[[nodiscard]] std::vector<SecretString> json_leaves(std::string_view text);

/// True for a common word or name, or one repeated character: easy to guess, and frequent in logs.
[[nodiscard]] bool is_common(std::string_view text);

/// True if a part of a value is a secret itself: long enough, not common, and not only punctuation or a line -----BEGIN
/// ...----- or -----END ...-----.
[[nodiscard]] bool is_worth_masking(std::string_view part);

}  // namespace trebuchet
