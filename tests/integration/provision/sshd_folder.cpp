#include "tests/integration/provision/sshd_folder.hpp"

#include <cerrno>
#include <stdexcept>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet::harness {
namespace {

constexpr const char* folder = "/run/sshd";
/// Marks a folder that tests created, as opposed to the system's own.
constexpr const char* mark = "/run/sshd/.trebuchet-test";

/// Another process may have removed the folder between open and lock.
bool is_the_folder(const FileDescriptor& opened) {
    struct stat ours {};
    struct stat there {};
    return ::fstat(opened.get(), &ours) == 0 && ::stat(folder, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

}  // namespace

SshdFolder::SshdFolder() {
    if (::geteuid() != 0) return;
    do {
        constexpr mode_t mode = S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH;
        const bool is_new = ::mkdir(folder, mode) == 0;
        if (!is_new && errno != EEXIST) throw std::runtime_error("cannot create /run/sshd");
        folder_ = FileDescriptor(::open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (folder_ && is_new) FileDescriptor(::open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR));
        if (folder_) ::flock(folder_.get(), LOCK_SH);
    } while (!folder_ || !is_the_folder(folder_));
}

SshdFolder::~SshdFolder() {
    // Other users have locked it: the last one removes it.
    if (!folder_ || ::flock(folder_.get(), LOCK_EX | LOCK_NB) != 0) return;
    if (::unlink(mark) == 0) ::rmdir(folder);
}

}  // namespace trebuchet::harness
