#pragma once

#include <cstddef>
#include <cstdint>

namespace trebuchet {

/// What becomes of a log for which the spool has no room: `trebuchet.spool_full`.
enum class SpoolFull {
    wait,  ///< whoever writes is held until there is room
    cut,   ///< text in the middle is left out; a note says how much
};

struct SpoolOptions {
    std::uint64_t limit = std::uint64_t{1} << 30;  ///< bytes of files of a log series: `trebuchet.spool_limit`
    SpoolFull when_full = SpoolFull::wait;
    std::size_t memory_limit = std::size_t{4} << 20;  ///< bytes of text that the disk refuses
};

}  // namespace trebuchet
