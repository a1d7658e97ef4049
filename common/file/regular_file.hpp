#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"

#include <cstddef>
#include <filesystem>
#include <string>

namespace trebuchet {

/// Opens a file for reading; follows links. Refuses anything else at once, such as a FIFO, on which a reader would wait
/// for a writer.
[[nodiscard]] Result<FileDescriptor> open_regular_file(const std::filesystem::path& path);

/// Reads such a file. Fails, without a partial result, if it is longer than `limit` bytes.
[[nodiscard]] Result<std::string> read_regular_file(const std::filesystem::path& path, std::size_t limit);

}  // namespace trebuchet
