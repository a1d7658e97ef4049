#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"

#include <cstddef>
#include <filesystem>
#include <string_view>

#include <sys/stat.h>

namespace trebuchet {

/// A rotating log file, mode 0600. Before it exceeds `limit` bytes, FILE becomes FILE.1, FILE.1 becomes FILE.2 and so
/// on; `older` of them are kept. Several processes may write to the same file: after another one has rotated it, the
/// next line goes to the new file. Not thread-safe.
class LogFile {
  public:
    [[nodiscard]] static Result<LogFile> open(std::filesystem::path path, std::size_t limit, int older);

    /// `line` must include its newline.
    [[nodiscard]] Result<void> write(std::string_view line);

  private:
    LogFile(std::filesystem::path path, std::size_t limit, int older)
        : path_(std::move(path)), limit_(limit), older_(older) {}
    [[nodiscard]] Result<void> reopen();
    /// True if the path still names our open file. Sets `ours` to its status.
    [[nodiscard]] bool is_current(struct ::stat& ours) const;
    void rotate() const;
    [[nodiscard]] std::filesystem::path numbered(int number) const;

    std::filesystem::path path_;
    std::size_t limit_;
    int older_;
    FileDescriptor fd_;
};

}  // namespace trebuchet
