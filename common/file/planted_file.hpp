#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <string>

namespace trebuchet {

/// What is at this path, for messages: "a file", "a FIFO", "a folder", "a symbolic link", …; "" if nothing is.
[[nodiscard]] std::string kind_of_file(const std::filesystem::path& path);

/// Renames what is at this path to the first free of PATH.set-aside-1, -2, …: for something that somebody planted where
/// a file or folder of ours goes. Opens nothing, so it never waits. Returns the new path.
[[nodiscard]] Result<std::filesystem::path> rename_aside(const std::filesystem::path& path);

/// Gives this program the permissions (0600, or 0700 for a folder) back that somebody took away, if the file or folder
/// is its own. Does not follow a link.
void restore_access(const std::filesystem::path& path);

}  // namespace trebuchet
