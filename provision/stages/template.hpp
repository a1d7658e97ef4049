#pragma once

#include <map>
#include <string>
#include <string_view>

namespace trebuchet {

/// Whether the reference takes a test command for an old template: only where a double brace occurs.
[[nodiscard]] bool is_template(std::string_view text);

/// Fills an old template: `{key}` becomes its value, `{{` and `}}` become single braces, any other brace, with what it
/// encloses, stays as it is.
[[nodiscard]] std::string fill_template(std::string_view text, const std::map<std::string, std::string>& values);

}  // namespace trebuchet
