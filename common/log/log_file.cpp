#include "common/log/log_file.hpp"

#include "common/base/system_text.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

tl::unexpected<Error> failed(const char* what, const std::filesystem::path& path) {
    return fail(std::string(what) + " " + path.string() + ": " + system_text(errno));
}

}  // namespace

Result<LogFile> LogFile::open(std::filesystem::path path, std::size_t limit, int older) {
    LogFile file(std::move(path), limit, older);
    if (auto done = file.reopen(); !done) return fail(done.error());
    return file;
}

Result<void> LogFile::reopen() {
    constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    FileDescriptor fd(::open(path_.c_str(), flags, 0600));
    if (!fd) {
        if (errno == ELOOP) return fail(path_.string() + " is a symbolic link; expected a regular file");
        return failed("cannot open", path_);
    }
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return failed("cannot look at", path_);
    if (!S_ISREG(info.st_mode)) return fail(path_.string() + " is not a regular file");
    if ((info.st_mode & 07777) != 0600 && ::fchmod(fd.get(), 0600) != 0) return failed("cannot set 0600 on", path_);
    fd_ = std::move(fd);
    return {};
}

std::filesystem::path LogFile::numbered(int number) const {
    auto path = path_;
    if (number > 0) path += "." + std::to_string(number);
    return path;
}

bool LogFile::is_current(struct ::stat& ours) const {
    struct stat there {};
    return fd_ && ::fstat(fd_.get(), &ours) == 0 && ::lstat(path_.c_str(), &there) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

void LogFile::rotate() const {
    for (int i = older_; i > 0; --i) ::rename(numbered(i - 1).c_str(), numbered(i).c_str());
    if (older_ == 0) ::unlink(path_.c_str());
}

Result<void> LogFile::write(std::string_view line) {
    struct stat info {};
    const bool is_full =
        is_current(info) && info.st_size > 0 && static_cast<std::size_t>(info.st_size) + line.size() > limit_;
    if (is_full) rotate();
    if (!is_current(info)) {
        if (auto done = reopen(); !done) return done;
    }
    if (auto done = write_all(fd_.get(), line); !done) return fail(done.error().with_context(path_.string()));
    return {};
}

}  // namespace trebuchet
