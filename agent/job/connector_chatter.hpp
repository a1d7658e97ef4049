#pragma once

#include <string_view>

namespace trebuchet {

/// True if this piece of a phase's output consists only of whole lines in which a connector, ours or the reference's,
/// says that it has no serial console. Connectors repeat these lines, so they are no sign of progress.
[[nodiscard]] bool is_connector_chatter(std::string_view output);

}  // namespace trebuchet
