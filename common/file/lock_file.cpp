#include "common/file/lock_file.hpp"

#include "common/base/system_text.hpp"
#include "common/file/planted_file.hpp"

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
    return {Error("cannot use the lock file " + path.string() + ": " + system_text(errno)), std::nullopt, false};
}

/// `without_pid`: who has it if the file does not say.
LockRefusal held(const std::filesystem::path& path, int fd, const char* without_pid) {
    const auto holder = pid_in(fd);
    const auto who = holder ? "process " + std::to_string(*holder) : without_pid;
    return {Error(path.string() + " is held by " + who), holder, true};
}

FileDescriptor open_lock(const std::filesystem::path& path) {
    const auto kind = kind_of_file(path);
    if (!kind.empty() && kind != "a file" && !rename_aside(path)) return {};
    constexpr int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    FileDescriptor fd(::open(path.c_str(), flags, 0600));
    if (fd || errno != EACCES) return fd;
    restore_access(path);
    return FileDescriptor(::open(path.c_str(), flags, 0600));
}

/// An Error if it cannot be taken.
std::optional<LockRefusal> try_to_lock(const FileDescriptor& what, const std::filesystem::path& path,
                                       const FileDescriptor& file, const char* without_pid) {
    if (!what) return unusable(path);
    if (::flock(what.get(), LOCK_EX | LOCK_NB) == 0) return std::nullopt;
    return errno == EWOULDBLOCK ? held(path, file.get(), without_pid) : unusable(path);
}

}  // namespace

tl::expected<LockFile, LockRefusal> LockFile::take(const std::filesystem::path& path) {
    FileDescriptor fd = open_lock(path);
    if (auto refusal = try_to_lock(fd, path, fd, "a process that has just started"))
        return tl::unexpected(std::move(*refusal));
    FileDescriptor folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    constexpr auto* other = "a process whose lock file was removed";
    if (auto refusal = try_to_lock(folder, path, fd, other)) return tl::unexpected(std::move(*refusal));
    const auto pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd.get(), 0) != 0 || !write_all(fd.get(), pid)) return tl::unexpected(unusable(path));
    return LockFile(std::move(fd), std::move(folder));
}

}  // namespace trebuchet
