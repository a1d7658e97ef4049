#pragma once

#include <cstdlib>
#include <iostream>

namespace trebuchet {

/// Ends a fuzz target, as a crash would, if what has to hold for every input does not.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::cerr << "does not hold: " << what << '\n';
    std::abort();
}

}  // namespace trebuchet
