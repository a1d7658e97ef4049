#pragma once

#include <cstddef>
#include <cstdint>

namespace trebuchet {

/// `trebuchet.spool_full`: what to do with a log when the spool is full.
enum class SpoolFull {
    wait,  ///< block the phase's output until there is room
    cut,   ///< leave out text in the middle; a note says how much
};

struct SpoolOptions {
    std::uint64_t limit = std::uint64_t{1} << 30;  ///< `trebuchet.spool_limit`: bytes of files of a log series
    SpoolFull when_full = SpoolFull::wait;
    std::size_t memory_limit = std::size_t{4} << 20;  ///< bytes of text kept in memory when the disk fails
};

}  // namespace trebuchet
