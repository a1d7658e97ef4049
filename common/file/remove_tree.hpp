#pragma once

#include "common/base/result.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>

namespace trebuchet {

/// When to stop removing a folder, whose content may be endless: somebody may be filling it meanwhile.
struct RemoveLimits {
    std::chrono::milliseconds time{60'000};
    const std::atomic<bool>* stop = nullptr;  ///< not owned; once it is true, removing fails at once
};

/// As in safe_file.hpp, where the default limits are meant.
[[nodiscard]] Result<void> remove_tree(const std::filesystem::path& path, const RemoveLimits& limits);

/// Makes a name free without taking time: removes what is no folder, and renames a folder to a name beside it, for
/// remove_set_aside(). A missing path is a success.
[[nodiscard]] Result<void> set_aside(const std::filesystem::path& path);

/// Removes what set_aside() has left in a folder. Takes its time, as remove_tree does.
[[nodiscard]] Result<void> remove_set_aside(const std::filesystem::path& folder, const RemoveLimits& limits);

}  // namespace trebuchet
