#pragma once

#include <string_view>

namespace trebuchet {

/// The last line of a command's output that is not blank, without surrounding blanks: what it printed after whatever
/// the shell's start-up files say. A view into `output`; "" if there is none.
[[nodiscard]] std::string_view last_line(std::string_view output);

}  // namespace trebuchet
