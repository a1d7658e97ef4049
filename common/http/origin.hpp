#pragma once

#include <string_view>

namespace trebuchet {

/// "localhost", 127.0.0.0/8, "::1" or "[::1]".
[[nodiscard]] bool is_loopback(std::string_view host);

/// True if others on the network could read what is sent to this origin ("http://host:port"): neither https nor
/// loopback.
[[nodiscard]] bool travels_in_clear(std::string_view origin);

}  // namespace trebuchet
