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

/// Limits for inspecting a file. Beyond a limit the inspection reports an obstacle.
struct InspectionLimits {
    std::size_t depth = 4;                           ///< nested archives and compressions
    std::size_t entries = 100'000;                   ///< in all archives of a file
    std::uint64_t bytes = std::uint64_t{1} << 30;    ///< decompressed from a file's archives, all levels together
    std::uint64_t memory = std::uint64_t{96} << 20;  ///< by which the process may grow, in bytes
    const std::atomic<bool>* stop = nullptr;         ///< set by another thread to stop
};

/// The result of inspecting a file.
struct ContentInspection {
    enum class Kind { text, binary, archive };
    Kind kind = Kind::text;
    MaskCounts found;               ///< empty: no secret found
    std::string obstacle;           ///< why some content could not be inspected, masked; "" if all was
    std::uint64_t masked_size = 0;  ///< size of the masked file in bytes
    std::uint64_t expanded = 0;     ///< bytes decompressed from its archives
    bool is_whole = true;           ///< all bytes of the file could be read
};

/// Searches the first `size` bytes of a file for secrets, until one is found. Inspects:
///
/// - the bytes; for binary content also without NUL bytes, to find UTF-16
/// - content and names in archives and compressed files, also nested
/// - compressed data in the middle of the file or after an archive (a kernel, an initrd), recognised by its first
/// bytes: gzip, bzip2, xz, zstd, lz4; the first 256 candidates
/// - a file that is a zlib stream, such as a Git object
///
/// Does not find secrets in: zlib or raw deflate data in the middle of another file (PDF, PNG), embedded compressed
/// data inside archives, and encrypted data that is not marked as encrypted.
///
/// Memory is bounded by the masks, the decompressors and `limits`. An Error means that `stop` was set. Thread-safe.
[[nodiscard]] Result<ContentInspection> inspect_content(int fd, std::uint64_t size,
                                                        const std::shared_ptr<const MaskSet>& masks,
                                                        const InspectionLimits& limits = {});

}  // namespace trebuchet
