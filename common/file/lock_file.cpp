#include "common/file/lock_file.hpp"

#include "common/base/system_text.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace trebuchet {
namespace {

std::optional<pid_t> pid_in(int fd) {
    std::array<char, 32> text{};
    const auto count = ::pread(fd, text.data(), text.size(), 0);
    pid_t pid = 0;
    const auto read = std::from_chars(text.data(), text.data() + std::max<ssize_t>(count, 0), pid);
    return read.ec == std::errc() && pid > 0 ? std::optional(pid) : std::nullopt;
}

LockRefusal unusable(const std::filesystem::path& path) {
    return {Error("can't use the lock file " + path.string() + ": " + system_text(errno)), std::nullopt, false};
}

}  // namespace

tl::expected<LockFile, LockRefusal> LockFile::take(const std::filesystem::path& path) {
    FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return tl::unexpected(unusable(path));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return tl::unexpected(unusable(path));
        const auto holder = pid_in(fd.get());
        const auto who = holder ? "process " + std::to_string(*holder) : "a process that has just started";
        return tl::unexpected(LockRefusal{Error(path.string() + " is held by " + who), holder, true});
    }
    const auto pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd.get(), 0) != 0 || !write_all(fd.get(), pid)) return tl::unexpected(unusable(path));
    return LockFile(std::move(fd));
}

}  // namespace trebuchet
