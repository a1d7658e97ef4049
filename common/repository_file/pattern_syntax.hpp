#pragma once

#include <string>
#include <string_view>

namespace trebuchet {

/// What in a regular expression is not the same in Python's re module and in RE2, where, and what to write instead; ""
/// if nothing. Found by comparing both on the same patterns: `\d` and `\w` match other characters, `{,3}` repeats only
/// in Python, `[[:alpha:]]` is a class only in RE2, and so on.
[[nodiscard]] std::string pattern_problem(std::string_view text);

}  // namespace trebuchet
