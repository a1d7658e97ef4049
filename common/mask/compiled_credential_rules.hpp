#pragma once

#include <string_view>
#include <vector>

namespace trebuchet {

/// All credential_rules(), compiled at build time (PatternDatabase::compile), because compiling them takes longer than
/// the rest of a start. They are part of the program, not a file: whoever could write that file could break into the
/// agent.
[[nodiscard]] const std::vector<std::string_view>& compiled_credential_rules();

}  // namespace trebuchet
