#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"

#include <cstddef>
#include <filesystem>
#include <string_view>

#include <sys/stat.h>

namespace trebuchet {

/// A log file, mode 0600, that makes room before it outgrows `limit` bytes: it is renamed to FILE.1, FILE.1 to FILE.2
/// and so on; `older` of them are kept. Several processes may write to the same one; when another has renamed it, the
/// next line goes to the new file. Not for use by two threads at once.
class LogFile {
  public:
    [[nodiscard]] static Result<LogFile> open(std::filesystem::path path, std::size_t limit, int older);

    /// `line` with its newline.
    [[nodiscard]] Result<void> write(std::string_view line);

  private:
    LogFile(std::filesystem::path path, std::size_t limit, int older)
        : path_(std::move(path)), limit_(limit), older_(older) {}
    [[nodiscard]] Result<void> reopen();
    /// Whether the path still names the file that we have open; fills in what that is.
    [[nodiscard]] bool is_current(struct ::stat& ours) const;
    void make_room() const;
    [[nodiscard]] std::filesystem::path numbered(int number) const;

    std::filesystem::path path_;
    std::size_t limit_;
    int older_;
    FileDescriptor fd_;
};

}  // namespace trebuchet
