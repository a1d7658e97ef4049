#pragma once

#include "common/base/result.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace trebuchet {

/// Reads a file that only an administrator may have written, in a folder where jobs can write, too: a regular file of
/// root, or of this program's user if `own_files_are_trusted`, with one name, which nobody else may change. Checks the
/// opened file, so that it cannot be replaced meanwhile. Fails if it is longer than `limit` bytes.
[[nodiscard]] Result<std::string> read_trusted(const std::filesystem::path& file, std::size_t limit,
                                               bool own_files_are_trusted);

/// Writes such a file, mode 0644: replaces it atomically, and follows no link that stands in its place.
[[nodiscard]] Result<void> write_trusted(const std::filesystem::path& file, std::string_view text);

}  // namespace trebuchet
