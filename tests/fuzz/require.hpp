#pragma once

#include <cstdlib>
#include <iostream>

namespace trebuchet {

/// Aborts the fuzz target, as a crash would, unless the property holds.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::cerr << "does not hold: " << what << '\n';
    std::abort();
}

}  // namespace trebuchet
