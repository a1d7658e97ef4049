#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Splits a command as a shell splits words, quotes and backslashes included, and expands nothing: a command of a
/// configuration is run without a shell. Fails on a quote without its end, and on no words at all.
[[nodiscard]] Result<std::vector<std::string>> split_shell_words(std::string_view command);

}  // namespace trebuchet
