#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

/// What an ordinary user may still put into a folder.
struct DiskSpace {
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;  ///< free inodes; as many as possible where the filesystem doesn't count them
};

/// The space of the folder or, if it does not exist, of its nearest existing parent. Fails if that is not writable.
[[nodiscard]] Result<DiskSpace> disk_space(const std::filesystem::path& folder);

/// Bytes of the regular files below a folder whose names begin with one of `prefixes`, links not followed; 0 if there
/// is none. Stops adding at `limit`.
[[nodiscard]] std::uint64_t bytes_below(const std::filesystem::path& folder, const std::vector<std::string>& prefixes,
                                        std::uint64_t limit);

}  // namespace trebuchet
