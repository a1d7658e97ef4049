#pragma once

#include "common/base/result.hpp"
#include "common/mask/mask_counts.hpp"
#include "common/mask/mask_set.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace trebuchet {

/// How far files are looked into. Beyond it, the look has an obstacle.
struct LookLimits {
    std::size_t depth = 4;                           ///< archives and compressions in one another
    std::size_t entries = 100'000;                   ///< of all archives in a file
    std::uint64_t bytes = std::uint64_t{1} << 30;    ///< that come out of a file's archives, all levels together
    std::uint64_t memory = std::uint64_t{96} << 20;  ///< by which the process may grow; of one second look, about
    const std::atomic<bool>* stop = nullptr;         ///< another thread may set it
};

/// What is in a file.
struct ContentLook {
    enum class Kind { text, binary, archive };
    Kind kind = Kind::text;
    MaskCounts found;               ///< empty: no secret was seen
    std::string obstacle;           ///< why not all could be seen, for people, masked; "" if it could
    std::uint64_t masked_size = 0;  ///< bytes of the file itself, masked
    std::uint64_t expanded = 0;     ///< bytes that came out of its archives
    bool is_whole = true;           ///< all of its bytes could be read
};

/// Reads the first `size` bytes of the file, and what is in it if it is an archive or compressed, nested ones too,
/// until something is found. Of what is binary also without its NUL bytes, as UTF-16 has them. Names in archives count.
///
/// Of the file itself also what is compressed in its middle, or comes after an archive (a kernel, an initrd), as far as
/// it is recognised by its start: gzip, bzip2, xz, zstd, lz4, the first 256, as far as the limits allow; and a file
/// that is a zlib stream, as Git's objects are.
///
/// Not seen: zlib's and raw compressed data in the middle of another file (PDF, PNG), such things inside archives, and
/// what is encrypted without being marked so. Memory is bounded by the masks' and that of the compressions. An Error
/// says that another thread set `stop`. Any thread.
[[nodiscard]] Result<ContentLook> look_into(int fd, std::uint64_t size, const std::shared_ptr<const MaskSet>& masks,
                                            const LookLimits& limits = {});

}  // namespace trebuchet
