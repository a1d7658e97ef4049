#pragma once

#include <string_view>
#include <vector>

namespace trebuchet {

/// All credential_rules(), compiled when the program was built (PatternDatabase::compile), because compiling them at
/// each start takes longer than the rest of the start. They are part of the program: a file of them, if somebody could
/// write it, would be a way into the agent.
[[nodiscard]] const std::vector<std::string_view>& compiled_credential_rules();

}  // namespace trebuchet
