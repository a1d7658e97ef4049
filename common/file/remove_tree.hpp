#pragma once

#include "common/base/result.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>

namespace trebuchet {

/// When to stop removing a folder: without a limit it may never end, because somebody may keep filling it.
struct RemoveLimits {
    std::chrono::milliseconds time{60'000};
    const std::atomic<bool>* stop = nullptr;  ///< not owned; once it is true, removing fails at once
};

/// Like remove_tree in safe_file.hpp, which uses the default limits.
[[nodiscard]] Result<void> remove_tree(const std::filesystem::path& path, const RemoveLimits& limits);

/// Frees a name quickly: removes a file, or renames a folder to a name beside it, for remove_set_aside() to remove. A
/// missing path is a success.
[[nodiscard]] Result<void> set_aside(const std::filesystem::path& path);

/// Removes what set_aside() has left in a folder. This may take long, like remove_tree.
[[nodiscard]] Result<void> remove_set_aside(const std::filesystem::path& folder, const RemoveLimits& limits);

}  // namespace trebuchet
