#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace trebuchet::harness {

/// A piece of a searched value that was found in a process's memory.
struct FoundPiece {
    std::uintptr_t address = 0;
    std::string region;   ///< name in /proc/PID/maps: "[heap]", "[stack]", a file; "" if anonymous
    bool locked = false;  ///< never swapped
    bool hidden = false;  ///< never in a core dump
    std::string bytes;    ///< the piece and the bytes that follow it

    [[nodiscard]] std::string text() const;
};

/// The size of a piece, and the minimum size of a searched value, in bytes.
inline constexpr std::size_t piece_size = 16;

/// Finds the places in the memory of process `pid` that contain any 16 consecutive bytes of any of `values`.
/// Overlapping pieces count once. Needs root. Throws if the memory cannot be read.
[[nodiscard]] std::vector<FoundPiece> pieces_in_memory(pid_t pid, const std::vector<std::string>& values);

}  // namespace trebuchet::harness
