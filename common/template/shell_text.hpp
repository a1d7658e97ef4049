#pragma once

#include "common/template/template_text.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// The script for sh, bash or dash with a reference to a variable in place of each template, quoted as its place needs:
/// the shell reads the value as it is, as a part of one word, whatever is in it. No braces are used. `name_of` gives
/// the variable of a template, by its index: letters, digits and `_`. What eval, `sh -c` and ssh read again is read
/// again. The Error says where a template cannot stand.
[[nodiscard]] Result<std::string> shell_text(std::string_view script, const std::vector<TextTemplate>& templates,
                                             const std::function<std::string(std::size_t)>& name_of);

}  // namespace trebuchet
