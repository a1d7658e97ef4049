#pragma once

#include "common/base/result.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

/// Unpacking fails beyond these limits.
struct UnpackLimits {
    std::size_t entries = 100'000;
    std::size_t depth = 64;                                       ///< path components
    std::size_t path_length = 2048;                               ///< bytes
    std::uint64_t bytes = std::uint64_t{8} * 1024 * 1024 * 1024;  ///< of all files together
    const std::atomic<bool>* stop = nullptr;                      ///< set by another thread to stop
    std::uint64_t ratio = 200;  ///< of unpacked to packed bytes; checked above 64 MiB unpacked
};

struct UnpackReport {
    std::size_t entries = 0;
    std::uint64_t bytes = 0;  ///< of all files together
};

/// Unpacks an untrusted gzip-compressed tar into `target`, which is created if missing (its parent must be private to
/// us). Every entry must be below one of `top_folders`. Writes nothing outside `target`, follows no links, replaces
/// nothing. Files and folders belong to us, have no set-uid bits, and are not writable by others. Memory is bounded;
/// time and space are bounded by the limits. Thread-safe.
///
/// Fails, with the entry's name and the reason, for:
/// - absolute paths, ".." and paths outside `top_folders`
/// - symbolic links that are absolute or may lead out of `target`
/// - hard links to anything except a file unpacked before
/// - devices, FIFOs and sockets
/// - a second entry of the same name, unless both are folders
/// - anything beyond the limits
/// - input that is not a complete gzip-compressed tar
///
/// After a failure the caller must remove what was unpacked.
[[nodiscard]] Result<UnpackReport> unpack_tar_gz(const std::filesystem::path& archive,
                                                 const std::filesystem::path& target,
                                                 const std::vector<std::string>& top_folders,
                                                 const UnpackLimits& limits = {});

}  // namespace trebuchet
