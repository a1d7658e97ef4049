#pragma once

#include <string_view>

namespace trebuchet {

/// "localhost", 127.0.0.0/8 or ::1, the last also in brackets.
[[nodiscard]] bool is_loopback(std::string_view host);

/// Whether what is sent to this origin ("http://host:port") could be read on the way: it is not https, and not
/// loopback.
[[nodiscard]] bool travels_in_clear(std::string_view origin);

}  // namespace trebuchet
