#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include <sys/types.h>

#include <tl/expected.hpp>

namespace trebuchet {

/// Why a lock could not be had.
struct LockRefusal {
    Error reason;                 ///< names the file, and the process that holds it
    std::optional<pid_t> holder;  ///< who holds it; nothing if it could not even be tried, or its holder is unknown
    bool is_held = false;         ///< by another process
};

/// An exclusive lock on a file that holds the pid of its owner. It is free again when this object or the process goes,
/// however it ends; processes that it starts don't inherit it. The file stays.
class LockFile {
  public:
    /// Does not wait. Makes the file, 0600, if it is missing; its folder must be there.
    [[nodiscard]] static tl::expected<LockFile, LockRefusal> take(const std::filesystem::path& path);

  private:
    explicit LockFile(FileDescriptor fd) : fd_(std::move(fd)) {}
    FileDescriptor fd_;
};

}  // namespace trebuchet
