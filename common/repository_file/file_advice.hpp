#pragma once

#include <string>
#include <string_view>

namespace trebuchet {

/// Whether a plain text looks like something that should be encrypted: by the variable's name or by its form.
[[nodiscard]] bool looks_secret(std::string_view name, std::string_view value);

/// Why a file of this name is never read; "": it has another kind of name.
[[nodiscard]] std::string name_problem(std::string_view file_name);

}  // namespace trebuchet
