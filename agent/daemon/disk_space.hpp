#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

/// How much an ordinary user may still store in a folder.
struct DiskSpace {
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;  ///< free inodes; the maximum if the file system does not count them
};

/// The space of the folder or, if it does not exist, of its nearest existing parent. Fails if that is not writable.
[[nodiscard]] Result<DiskSpace> disk_space(const std::filesystem::path& folder);

/// Adds up the bytes of regular files below a folder whose names start with one of `prefixes`, without following links;
/// 0 if there are none. Stops at `limit`.
[[nodiscard]] std::uint64_t bytes_below(const std::filesystem::path& folder, const std::vector<std::string>& prefixes,
                                        std::uint64_t limit);

}  // namespace trebuchet
