#pragma once

namespace trebuchet {

/// Such as "0.1.0"; set in CMakeLists.txt.
inline constexpr const char* version = TREBUCHET_VERSION;

}  // namespace trebuchet
