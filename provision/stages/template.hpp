#pragma once

#include <map>
#include <string>
#include <string_view>

namespace trebuchet {

/// True if the text contains "{{". The reference treats only such test commands as templates.
[[nodiscard]] bool is_template(std::string_view text);

/// Fills in a template: `{key}` becomes its value, `{{` and `}}` become single braces, and other braces stay unchanged,
/// with their content.
[[nodiscard]] std::string fill_template(std::string_view text, const std::map<std::string, std::string>& values);

}  // namespace trebuchet
