#pragma once

#include "common/base/result.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

/// What is beyond ends the unpacking with an Error.
struct UnpackLimits {
    std::size_t entries = 100'000;
    std::size_t depth = 64;                                       ///< names in a path
    std::size_t path_length = 2048;                               ///< bytes
    std::uint64_t bytes = std::uint64_t{8} * 1024 * 1024 * 1024;  ///< of all files together
    const std::atomic<bool>* stop = nullptr;                      ///< another thread may set it
    std::uint64_t ratio = 200;  ///< of those to the archive's own, once they are more than 64 MiB
};

struct UnpackReport {
    std::size_t entries = 0;
    std::uint64_t bytes = 0;  ///< of all files together
};

/// Unpacks a gzip-compressed tar that may be hostile into `target`, which is created if it is missing (its parent must
/// be ours alone), with every entry below one of `top_folders`. Writes nothing outside `target`, follows no link,
/// replaces nothing. Files and folders are ours, without set-uid bits, writable by nobody else. Memory is bounded, time
/// and space by the limits. May run on any thread.
///
/// An Error that names the entry and says why, for: paths that are absolute, hold ".." or lie elsewhere; symbolic links
/// that are absolute or may lead out of `target`; hard links to anything but a file unpacked before; devices, FIFOs and
/// sockets; a second entry of one name, unless both are folders; what is beyond the limits; what is no gzip-compressed
/// tar, or not a whole one. The caller then removes what was unpacked until there.
[[nodiscard]] Result<UnpackReport> unpack_tar_gz(const std::filesystem::path& archive,
                                                 const std::filesystem::path& target,
                                                 const std::vector<std::string>& top_folders,
                                                 const UnpackLimits& limits = {});

}  // namespace trebuchet
