#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include <sys/types.h>

#include <tl/expected.hpp>

namespace trebuchet {

/// Why a lock could not be taken.
struct LockRefusal {
    Error reason;                 ///< names the file, and the process that holds it
    std::optional<pid_t> holder;  ///< the process that holds the lock, if known
    bool is_held = false;         ///< another process holds it
};

/// An exclusive lock on a file that contains its owner's pid, and on the folder of that file: removing the file and
/// creating a new one does not give anybody the lock. Released by the destructor and when the process ends, even after
/// a crash. Child processes do not inherit it. The file is not removed.
class LockFile {
  public:
    /// Does not wait. Creates the file (0600) if it is missing; its folder must exist. If something other than a file
    /// is in its place, that is renamed first.
    [[nodiscard]] static tl::expected<LockFile, LockRefusal> take(const std::filesystem::path& path);

  private:
    LockFile(FileDescriptor fd, FileDescriptor folder) : fd_(std::move(fd)), folder_(std::move(folder)) {}
    FileDescriptor fd_;
    FileDescriptor folder_;
};

}  // namespace trebuchet
