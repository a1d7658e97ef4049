#pragma once

#include "provision/image/image_target.hpp"
#include "provision/process/command.hpp"

namespace trebuchet {

/// Writes the image as an xz file, which replaces `file`, by the system's `xz`. It is read back by
/// decompressing it. `commands` must outlive it.
[[nodiscard]] Result<std::unique_ptr<ImageTarget>> open_compressing_target(const std::filesystem::path& file,
                                                                           CommandRunner& commands);

}  // namespace trebuchet
