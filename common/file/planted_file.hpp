#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <string>

namespace trebuchet {

/// The kind of file at this path, for messages: "a file", "a FIFO", "a folder", "a symbolic link", …; "" if there is
/// none.
[[nodiscard]] std::string kind_of_file(const std::filesystem::path& path);

/// Renames what is at this path to the first free name of PATH.set-aside-1, -2, …: for a file that somebody planted in
/// the place of one of ours. Opens nothing, so it never waits. Returns the new path.
[[nodiscard]] Result<std::filesystem::path> rename_aside(const std::filesystem::path& path);

/// Removes a file of this name, so that a new one can be created; a folder there is renamed aside.
void unlink_or_set_aside(const std::filesystem::path& path);

/// Restores this program's permissions (0600, or 0700 for a folder) if the file or folder belongs to it. Does not
/// follow a link.
void restore_access(const std::filesystem::path& path);

}  // namespace trebuchet
