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
    Error reason;                 ///< names the file and the process that holds it
    std::optional<pid_t> holder;  ///< the process that holds the lock, if known
    bool is_held = false;         ///< by another process
};

/// An exclusive lock on a file that contains its owner's pid, and on the folder that holds the file: who removes the
/// file and makes a new one has not got the lock. Released by the destructor and at the end of the process, even after
/// a crash. Child processes do not inherit it. The file is not removed.
class LockFile {
  public:
    /// Does not wait. Creates the file (0600) if it is missing; its folder must exist. What is in its place and no file
    /// is set aside.
    [[nodiscard]] static tl::expected<LockFile, LockRefusal> take(const std::filesystem::path& path);

  private:
    LockFile(FileDescriptor fd, FileDescriptor folder) : fd_(std::move(fd)), folder_(std::move(folder)) {}
    FileDescriptor fd_;
    FileDescriptor folder_;
};

}  // namespace trebuchet
