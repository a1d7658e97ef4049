#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace trebuchet::harness {

/// Every file, folder and link below `folder`, sorted.
[[nodiscard]] std::vector<std::filesystem::path> everything_in(const std::filesystem::path& folder);

/// The files below `folder` that contain `text`, in their bytes or in their name.
[[nodiscard]] std::vector<std::filesystem::path> files_holding(const std::filesystem::path& folder,
                                                               std::string_view text);

}  // namespace trebuchet::harness
