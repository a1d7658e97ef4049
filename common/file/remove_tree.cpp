// How a folder that a hostile process filled is removed, with three descriptors and without recursion, however deep or
// wide it is:
//
//  1. Read the folder. Unlink what is no folder.
//  2. Of each folder in it: unlink the files in it, move each folder in it up beside it under a name of ours, and
//     remove it, which is empty now.
//  3. Again from 1 until a reading removes nothing. What moved up is met there, so depth becomes width.
//  4. Remove the folder itself.
//
// Example: top/a/b/c. The first reading meets a: b moves to top/trebuchet-removed-0, a is removed. The second meets
// that: c moves to top/trebuchet-removed-1, b is removed. The third removes c, the fourth meets nothing; then top goes.
//
// Nothing is followed: neither links nor mounts, so that a folder of the host that was mounted there loses nothing.
#include "common/file/safe_file.hpp"

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

namespace trebuchet {
namespace {

FileDescriptor try_to_open(int parent, const char* name) {
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
    const auto fd = static_cast<int>(::syscall(SYS_openat2, parent, name, &how, sizeof how));
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return FileDescriptor(fd);
    return FileDescriptor(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// Gives our permissions back that somebody took away.
void allow(int parent, const char* name) {
    const FileDescriptor folder(::openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder) ::chmod(("/proc/self/fd/" + std::to_string(folder.get())).c_str(), 0700);
}

FileDescriptor open_folder(int parent, const char* name) {
    auto folder = try_to_open(parent, name);
    if (folder || errno != EACCES) return folder;
    allow(parent, name);
    return try_to_open(parent, name);
}

bool is_folder_in(int parent, const dirent& entry) {
    if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
    struct stat info {};
    return ::fstatat(parent, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

/// Calls `take` with each entry; false if there is an error.
template <typename Take>
bool for_each_entry(int folder, const Take& take) {
    const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return false;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy), ::closedir);
    if (!entries) return false;
    while (const dirent* entry = ::readdir(entries.get())) {  // NOLINT(concurrency-mt-unsafe)
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") take(*entry);
    }
    return true;
}

class TreeRemover {
  public:
    explicit TreeRemover(int top) : top_(top) {}

    void run() {
        do {
            removed_ = 0;
            error_ = 0;
            if (!for_each_entry(top_, [this](const dirent& entry) { remove(entry); })) note_error();
        } while (removed_ > 0);
    }

    /// The first of the last reading; 0: none.
    [[nodiscard]] int error() const { return error_; }

  private:
    void note_error() {
        if (error_ == 0) error_ = errno;
    }

    void remove(const dirent& entry) {
        if (!is_folder_in(top_, entry)) {
            count(::unlinkat(top_, entry.d_name, 0) == 0);
        } else if (::unlinkat(top_, entry.d_name, AT_REMOVEDIR) == 0) {
            count(true);
        } else {
            empty(entry.d_name);
            count(::unlinkat(top_, entry.d_name, AT_REMOVEDIR) == 0);
        }
    }

    void empty(const char* name) {
        const auto folder = open_folder(top_, name);
        if (!folder) return note_error();
        ::fchmod(folder.get(), 0700);  // without the right to write nothing can be removed
        const bool read = for_each_entry(folder.get(), [&](const dirent& entry) {
            if (!is_folder_in(folder.get(), entry)) {
                count(::unlinkat(folder.get(), entry.d_name, 0) == 0);
            } else if (::unlinkat(folder.get(), entry.d_name, AT_REMOVEDIR) == 0) {
                count(true);
            } else {
                count(move_up(folder.get(), entry.d_name));
            }
        });
        if (!read) note_error();
    }

    bool move_up(int folder, const char* name) {
        if (try_to_move_up(folder, name)) return true;
        if (errno != EACCES) return false;
        allow(folder, name);  // its entry ".." is written
        return try_to_move_up(folder, name);
    }

    bool try_to_move_up(int folder, const char* name) {
        while (true) {
            const auto free_name = "trebuchet-removed-" + std::to_string(number_++);
            if (::renameat2(folder, name, top_, free_name.c_str(), RENAME_NOREPLACE) == 0) return true;
            if (errno != EEXIST) return false;
        }
    }

    void count(bool done) { done ? static_cast<void>(++removed_) : note_error(); }

    int top_;
    std::size_t removed_ = 0;
    std::size_t number_ = 0;
    int error_ = 0;
};

}  // namespace

Result<void> remove_tree(const std::filesystem::path& path) {
    const auto failed = [&](int error) {
        return fail("can't remove all of " + path.string() + ": " + std::system_category().message(error));
    };
    if (::unlink(path.c_str()) == 0 || errno == ENOENT || ::rmdir(path.c_str()) == 0) return {};
    if (!is_folder(path)) return failed(errno);
    auto folder = FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) {
        allow(AT_FDCWD, path.c_str());
        folder = FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
    if (!folder) return failed(errno);
    ::fchmod(folder.get(), 0700);
    TreeRemover remover(folder.get());
    remover.run();
    if (::rmdir(path.c_str()) == 0) return {};
    return failed(remover.error() != 0 ? remover.error() : errno);
}

}  // namespace trebuchet
