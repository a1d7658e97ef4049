#include "common/file/safe_file.hpp"

#include "common/base/system_text.hpp"
#include "common/file/credential_file.hpp"
#include "common/file/planted_file.hpp"
#include "common/file/regular_file.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace trebuchet {
namespace {

tl::unexpected<Error> failed(const char* what, const std::filesystem::path& path) {
    return fail(std::string(what) + " " + path.string() + ": " + system_text(errno));
}

/// Reads `fd` to its end. Fails if that is more than `limit` bytes.
template <typename String>
Result<void> read_whole(int fd, const std::filesystem::path& path, std::size_t limit, String& out) {
    std::array<char, 16384> buffer{};
    while (true) {
        const auto count = ::read(fd, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed("cannot read", path);
        if (count == 0) break;
        out.append(buffer.data(), static_cast<std::size_t>(count));
        if (out.size() > limit) {
            return fail(path.string() + " is longer than the " + std::to_string(limit) + " bytes that are accepted");
        }
    }
    wipe(buffer.data(), buffer.size());
    return {};
}

const char* kind_of(mode_t mode) {
    if (S_ISFIFO(mode)) return "a FIFO";
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

/// Never waits, not even for the writer of a FIFO.
Result<FileDescriptor> open_regular(const std::filesystem::path& path, int more_flags) {
    FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | more_flags));
    if (!fd) {
        if (errno == ELOOP) return fail(path.string() + " is a symbolic link; expected a regular file");
        return failed("cannot open", path);
    }
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return failed("cannot look at", path);
    if (!S_ISREG(info.st_mode)) {
        return fail(path.string() + " is " + kind_of(info.st_mode) + "; expected a regular file");
    }
    return fd;
}

Result<SecretString> read_secret(const FileDescriptor& fd, const std::filesystem::path& path, std::size_t limit) {
    WipedString text;
    if (auto done = read_whole(fd.get(), path, limit, text); !done) return fail(done.error());
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return SecretString(text);
}

Result<void> make_missing(const std::filesystem::path& path) {
    std::filesystem::path so_far;
    for (const auto& part : path) {
        so_far /= part;
        if (::mkdir(so_far.c_str(), 0700) != 0 && errno != EEXIST && errno != EISDIR && errno != EROFS) {
            return failed("cannot make the folder", so_far);
        }
    }
    return {};
}

tl::unexpected<Error> belongs_to_another(const std::filesystem::path& path, const struct stat& info) {
    return fail("the folder " + path.string() + " belongs to uid " + std::to_string(info.st_uid) + ", expected " +
                std::to_string(::geteuid()) + ": remove it, or configure another");
}

/// In a world-writable folder somebody else may have created `path` first: accept only a real folder of ours.
Result<void> take_over_below_public(const std::filesystem::path& path) {
    std::filesystem::path folder;
    for (const auto& part : std::filesystem::absolute(path).lexically_normal()) {
        struct stat info {};
        const bool is_public = !folder.empty() && ::stat(folder.c_str(), &info) == 0 && (info.st_mode & S_IWOTH) != 0;
        folder /= part;
        if (!is_public || part.empty()) continue;
        if (auto ours = make_private_folder(folder); !ours) return ours;
    }
    return {};
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

FileDescriptor::~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
}

Result<FileDescriptor> open_untrusted(const std::filesystem::path& path) {
    return open_regular(path, O_NOFOLLOW);
}

Result<std::string> read_untrusted(const std::filesystem::path& path, std::size_t limit) {
    auto fd = open_untrusted(path);
    if (!fd) return fail(fd.error());
    std::string text;
    if (auto done = read_whole(fd->get(), path, limit, text); !done) return fail(done.error());
    return text;
}

Result<FileDescriptor> open_regular_file(const std::filesystem::path& path) {
    return open_regular(path, 0);
}

Result<std::string> read_regular_file(const std::filesystem::path& path, std::size_t limit) {
    const auto fd = open_regular_file(path);
    if (!fd) return fail(fd.error());
    std::string text;
    if (auto done = read_whole(fd->get(), path, limit, text); !done) return fail(done.error());
    return text;
}

Result<SecretString> read_secret_file(const std::filesystem::path& path, std::size_t limit) {
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return failed("cannot open", path);
    return read_secret(fd, path, limit);
}

Result<SecretString> read_credential_file(const std::filesystem::path& path, std::size_t limit) {
    const auto fd = open_regular(path, 0);
    if (!fd) return fail(fd.error());
    return read_secret(*fd, path, limit);
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return failed("cannot open", path);
    std::string text;
    if (auto done = read_whole(fd.get(), path, limit, text); !done) return fail(done.error());
    return text;
}

Result<void> write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail("cannot write: " + system_text(errno));
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<FileDescriptor> create_new_file(const std::filesystem::path& path) {
    FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return failed("cannot create", path);
    return fd;
}

Result<void> write_file(const std::filesystem::path& path, std::string_view bytes) {
    auto temporary = path;
    temporary += ".new";
    ::unlink(temporary.c_str());
    const auto fd = create_new_file(temporary);
    if (!fd) return fail(fd.error());
    if (auto done = write_all(fd->get(), bytes); !done) return fail(done.error().with_context(temporary.string()));
    if (::rename(temporary.c_str(), path.c_str()) != 0) return failed("cannot replace", path);
    return {};
}

Result<void> make_folder(const std::filesystem::path& path) {
    if (auto made = make_missing(path); !made) return made;
    if (auto ours = take_over_below_public(path); !ours) return ours;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return failed("cannot look at", path);
    if (!S_ISDIR(info.st_mode)) return fail(path.string() + " is not a folder: remove it, or configure another");
    if (info.st_uid != 0 && info.st_uid != ::geteuid()) return belongs_to_another(path, info);
    return {};
}

Result<void> check_writable(const std::filesystem::path& folder) {
    if (auto made = make_folder(folder); !made) return made;
    // A name that nobody can have taken before.
    auto probe = (folder / ".trebuchet-XXXXXX").string();
    const FileDescriptor file(::mkostemp(probe.data(), O_CLOEXEC));
    if (!file) return failed("cannot create", probe);
    ::unlink(probe.c_str());
    return {};
}

Result<void> make_private_folder(const std::filesystem::path& path) {
    if (auto made = make_missing(path); !made) return made;
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    FileDescriptor fd(::open(path.c_str(), flags));
    if (!fd && errno == EACCES) {
        restore_access(path);
        fd = FileDescriptor(::open(path.c_str(), flags));
    }
    if (!fd) return failed("cannot use as a folder", path);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return failed("cannot look at", path);
    if (info.st_uid != ::geteuid()) return belongs_to_another(path, info);
    if ((info.st_mode & 07777) != 0700 && ::fchmod(fd.get(), 0700) != 0) return failed("cannot set 0700 on", path);
    return {};
}

bool is_folder(const std::filesystem::path& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool is_on_tmpfs(const std::filesystem::path& path) {
    struct statfs info {};
    if (::statfs(path.c_str(), &info) != 0) return false;
    return info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC;
}

}  // namespace trebuchet
