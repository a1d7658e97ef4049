#pragma once

namespace trebuchet {

/// "0.1.0", from CMakeLists.txt.
inline constexpr const char* version = TREBUCHET_VERSION;

}  // namespace trebuchet
