#include "tests/integration/disk/disk_fault.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

using trebuchet::harness::disk_fault_folder;
using trebuchet::harness::disk_fault_order;

std::array<char, PATH_MAX> folder{};
std::array<char, PATH_MAX> order_file{};
std::array<char, 64> last_order{};
std::atomic<long> changes{0};
std::atomic<long> syncs{0};

void set(std::array<char, PATH_MAX>& to, const char* variable) {
    const char* value = std::getenv(variable);
    if (value != nullptr) std::snprintf(to.data(), to.size(), "%s", value);
}

__attribute__((constructor)) void take_orders() {
    set(folder, disk_fault_folder);
    set(order_file, disk_fault_order);
    for (const char* variable : {"LD_PRELOAD", disk_fault_folder, disk_fault_order}) ::unsetenv(variable);
}

struct Order {
    int number = 0;  ///< errno; 0: no error
    long from = 1;
    bool syncs_only = false;
};

Order order() {
    Order found;
    const auto fd = ::syscall(SYS_openat, AT_FDCWD, order_file.data(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return found;
    std::array<char, 64> text{};
    static_cast<void>(::syscall(SYS_read, fd, text.data(), text.size() - 1));
    ::syscall(SYS_close, fd);
    std::array<char, 16> kind{};
    if (std::strcmp(text.data(), last_order.data()) != 0) {
        last_order = text;
        changes = 0;
        syncs = 0;
    }
    const int fields = std::sscanf(text.data(), "%d %ld %15s", &found.number, &found.from, kind.data());
    if (fields < 1) found.number = 0;
    found.syncs_only = std::string_view(kind.data()) == "sync";
    return found;
}

bool lies_below(const char* path) {
    const std::string_view below(folder.data());
    return !below.empty() && path != nullptr && std::string_view(path).substr(0, below.size()) == below;
}

bool lies_below(int fd) {
    std::array<char, 64> link{};
    std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
    std::array<char, PATH_MAX> path{};
    return ::readlink(link.data(), path.data(), path.size() - 1) > 0 && lies_below(path.data());
}

/// For a relative path, the folder `fd` decides.
bool lies_below(int fd, const char* path) {
    return path != nullptr && path[0] != '/' && fd != AT_FDCWD ? lies_below(fd) : lies_below(path);
}

template <typename... Place>
bool refused(Place... place) {
    const int before = errno;
    const bool concerned = lies_below(place...);
    const auto given = concerned ? order() : Order{};
    errno = before;
    if (!concerned) return false;
    const bool fails = ++changes >= given.from && given.number != 0 && !given.syncs_only;
    if (fails) errno = given.number;
    return fails;
}

bool sync_refused(int fd) {
    const int before = errno;
    const bool concerned = lies_below(fd);
    const auto given = concerned ? order() : Order{};
    errno = before;
    if (!concerned) return false;
    const bool fails = ++syncs >= given.from && given.number != 0;
    if (fails) errno = given.number;
    return fails;
}

template <typename Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// If so, the kernel reports EEXIST whatever the state of the disk.
bool stands_there(const char* path) {
    return ::syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

mode_t mode_of(int flags, va_list& more) {
    return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
}

bool changes_something(int flags) {
    return (flags & (O_CREAT | O_TRUNC)) != 0;
}

int open_at(int at, const char* path, int flags, mode_t mode) {
    if (changes_something(flags) && refused(at, path)) return -1;
    return static_cast<int>(::syscall(SYS_openat, at, path, flags, mode));
}

}  // namespace

// Replacements for functions of the C library, with the signatures of its headers.
extern "C" {

int open(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = mode_of(flags, more);
    va_end(more);
    return open_at(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = mode_of(flags, more);
    va_end(more);
    return open_at(AT_FDCWD, path, flags, mode);
}
int openat(int at, const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = mode_of(flags, more);
    va_end(more);
    return open_at(at, path, flags, mode);
}
int openat64(int at, const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = mode_of(flags, more);
    va_end(more);
    return open_at(at, path, flags, mode);
}

ssize_t write(int fd, const void* bytes, size_t size) {
    if (refused(fd)) return -1;
    return ::syscall(SYS_write, fd, bytes, size);
}
ssize_t writev(int fd, const iovec* parts, int count) {
    if (refused(fd)) return -1;
    return ::syscall(SYS_writev, fd, parts, count);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
    if (refused(fd)) return -1;
    return ::syscall(SYS_pwrite64, fd, bytes, size, offset);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
    if (refused(fd)) return -1;
    return ::syscall(SYS_pwrite64, fd, bytes, size, offset);
}
int ftruncate(int fd, off_t size) noexcept {
    if (refused(fd)) return -1;
    return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
}
int mkdir(const char* path, mode_t mode) noexcept {
    if (!stands_there(path) && refused(path)) return -1;
    return static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}
int symlink(const char* target, const char* path) noexcept {
    if (!stands_there(path) && refused(path)) return -1;
    return static_cast<int>(::syscall(SYS_symlinkat, target, AT_FDCWD, path));
}
int rename(const char* from, const char* to) noexcept {
    if (order().number != ENOSPC && refused(to)) return -1;  // a rename needs no free space
    return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int fsync(int fd) {
    if (sync_refused(fd)) return -1;
    return static_cast<int>(::syscall(SYS_fsync, fd));
}
int fdatasync(int fd) {
    if (sync_refused(fd)) return -1;
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

int access(const char* path, int mode) noexcept {
    if ((mode & W_OK) != 0 && lies_below(path)) {
        const auto given = order();
        if (given.number == EROFS && changes + 1 >= given.from) {
            errno = given.number;
            return -1;
        }
    }
    return static_cast<int>(::syscall(SYS_faccessat, AT_FDCWD, path, mode));
}
int statvfs(const char* path, struct statvfs* info) noexcept {
    const int done = next<int(const char*, struct statvfs*)>("statvfs")(path, info);
    if (done == 0 && lies_below(path)) {
        const auto given = order();
        if (given.number == ENOSPC && !given.syncs_only && changes + 1 >= given.from) info->f_bavail = 0;
    }
    return done;
}

}  // extern "C"
