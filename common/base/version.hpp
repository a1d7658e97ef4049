#pragma once

namespace trebuchet {

/// Such as "0.2.0": the version of the project in CMakeLists.txt.
extern const char* const version;

}  // namespace trebuchet
