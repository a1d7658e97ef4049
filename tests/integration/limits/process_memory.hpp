#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace trebuchet::harness {

/// Where a piece of something that was looked for lies in a process's memory.
struct FoundPiece {
    std::uintptr_t address = 0;
    std::string region;   ///< as /proc/PID/maps calls it: "[heap]", "[stack]", a file; "" if it is anonymous
    bool locked = false;  ///< never in swap
    bool hidden = false;  ///< never in a core dump
    std::string bytes;    ///< the piece, and what follows it

    [[nodiscard]] std::string text() const;
};

/// A piece is that long; what is looked for has this length at least.
inline constexpr std::size_t piece_size = 16;

/// Where the memory of process `pid` holds any 16 bytes in a row of any of `values`; the pieces of one place that
/// overlap count once. For root. Throws if the memory can't be read.
[[nodiscard]] std::vector<FoundPiece> pieces_in_memory(pid_t pid, const std::vector<std::string>& values);

}  // namespace trebuchet::harness
