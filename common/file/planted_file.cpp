#include "common/file/planted_file.hpp"

#include "common/base/system_text.hpp"
#include "common/file/safe_file.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {

std::string kind_of_file(const std::filesystem::path& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return "";
    switch (info.st_mode & S_IFMT) {
        case S_IFREG:
            return "a file";
        case S_IFDIR:
            return "a folder";
        case S_IFLNK:
            return "a symbolic link";
        case S_IFIFO:
            return "a FIFO";
        case S_IFSOCK:
            return "a socket";
        default:
            return "a device";
    }
}

Result<std::filesystem::path> rename_aside(const std::filesystem::path& path) {
    constexpr int most_asides = 1000;
    for (int number = 1; number <= most_asides; ++number) {
        auto aside = path;
        aside += ".set-aside-" + std::to_string(number);
        struct stat info {};
        if (::lstat(aside.c_str(), &info) == 0) continue;
        if (::rename(path.c_str(), aside.c_str()) != 0)
            return fail("cannot set aside " + path.string() + ": " + system_text(errno));
        return aside;
    }
    return fail("cannot set aside " + path.string() + ": there are too many already");
}

void unlink_or_set_aside(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) != 0 && errno == EISDIR) static_cast<void>(rename_aside(path));
}

void restore_access(const std::filesystem::path& path) {
    const FileDescriptor fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0 || info.st_uid != ::geteuid()) return;
    const auto own = "/proc/self/fd/" + std::to_string(fd.get());
    if (S_ISDIR(info.st_mode)) ::chmod(own.c_str(), 0700);
    if (S_ISREG(info.st_mode)) ::chmod(own.c_str(), 0600);
}

}  // namespace trebuchet
