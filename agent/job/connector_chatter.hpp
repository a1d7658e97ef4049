#pragma once

#include <string_view>

namespace trebuchet {

/// True if this piece of a phase's output is nothing but whole lines in which a connector, ours or the reference's,
/// says that it has no serial console: repeated for as long as that lasts, they say nothing of how the phase gets on.
[[nodiscard]] bool is_connector_chatter(std::string_view output);

}  // namespace trebuchet
