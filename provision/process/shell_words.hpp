#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Splits a command into words as a shell does, with quotes and backslashes but without expansions. Fails on an
/// unterminated quote and on an empty command.
[[nodiscard]] Result<std::vector<std::string>> split_shell_words(std::string_view command);

}  // namespace trebuchet
