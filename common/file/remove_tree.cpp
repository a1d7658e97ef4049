// Removes a folder that a hostile process has filled, with three descriptors and without recursion, however deep or
// wide it is:
//
//  1. Read the folder and unlink everything that is not a folder.
//  2. For each subfolder: unlink its files, move its own subfolders up beside it under names of ours, then remove it
//     (it is empty now).
//  3. Repeat from 1 until a pass removes nothing. Each pass meets the folders that moved up, so depth becomes width.
//  4. Remove the folder itself.
//
// A process may fill the folder as fast as we empty it, so there is a time limit for the whole.
//
// Example: top/a/b/c. Pass 1 meets a: it moves b to top/trebuchet-removed-0 and removes a. Pass 2 meets
// trebuchet-removed-0: it moves c to top/trebuchet-removed-1 and removes b. Pass 3 removes c. Pass 4 meets nothing;
// then top is removed.
//
// Links are not followed and mounts are not entered, so a host folder that is mounted there loses nothing.
#include "common/file/remove_tree.hpp"

#include "common/file/safe_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <vector>

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

/// Restores our permissions if somebody took them away.
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

/// Calls `take` with each entry until it returns false; false if there is an error.
template <typename Take>
bool for_each_entry(int folder, const Take& take) {
    const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return false;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy), ::closedir);
    if (!entries) return false;
    while (const dirent* entry = ::readdir(entries.get())) {  // NOLINT(concurrency-mt-unsafe)
        const std::string_view name(entry->d_name);
        if (name != "." && name != ".." && !take(*entry)) break;
    }
    return true;
}

/// Like RENAME_NOREPLACE. Some file systems, such as NFS and ZFS, do not support the flag: for them we check first
/// whether the name is free. That is good enough for names that nobody else uses.
bool rename_to_free_name(int from_folder, const char* from, int to_folder, const char* to) {
    if (::renameat2(from_folder, from, to_folder, to, RENAME_NOREPLACE) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    struct stat info {};
    if (::fstatat(to_folder, to, &info, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return false;
    }
    return ::renameat(from_folder, from, to_folder, to) == 0;
}

/// No job has such a name.
constexpr const char* aside_prefix = ".trebuchet-aside-";

std::string random_name() {
    std::random_device random;
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x%08x", random(), random());
    return aside_prefix + std::string(digits.data());
}

class TreeRemover {
  public:
    TreeRemover(int top, const RemoveLimits& limits)
        : top_(top), stop_(limits.stop), ends_(std::chrono::steady_clock::now() + limits.time) {}

    void run() {
        do {
            removed_ = 0;
            error_ = 0;
            const bool read = for_each_entry(top_, [this](const dirent& entry) {
                if (!is_over()) remove(entry);
                return !is_over_;
            });
            if (!read) note_error();
        } while (removed_ > 0 && !is_over_);
        if (is_over_) error_ = ETIMEDOUT;
    }

    /// The first error of the last pass; 0: none.
    [[nodiscard]] int error() const { return error_; }

  private:
    bool is_over() {
        is_over_ = is_over_ || (stop_ != nullptr && *stop_) || std::chrono::steady_clock::now() >= ends_;
        return is_over_;
    }

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
        ::fchmod(folder.get(), 0700);  // removing entries needs write permission
        const bool read = for_each_entry(folder.get(), [&](const dirent& entry) {
            if (is_over()) return false;
            if (!is_folder_in(folder.get(), entry)) {
                count(::unlinkat(folder.get(), entry.d_name, 0) == 0);
            } else if (::unlinkat(folder.get(), entry.d_name, AT_REMOVEDIR) == 0) {
                count(true);
            } else {
                count(move_up(folder.get(), entry.d_name));
            }
            return true;
        });
        if (!read) note_error();
    }

    bool move_up(int folder, const char* name) {
        if (try_to_move_up(folder, name)) return true;
        if (errno != EACCES) return false;
        allow(folder, name);  // moving writes its entry ".."
        return try_to_move_up(folder, name);
    }

    bool try_to_move_up(int folder, const char* name) {
        while (true) {
            const auto free_name = "trebuchet-removed-" + std::to_string(number_++);
            if (rename_to_free_name(folder, name, top_, free_name.c_str())) return true;
            if (errno != EEXIST) return false;
        }
    }

    void count(bool done) { done ? static_cast<void>(++removed_) : note_error(); }

    int top_;
    const std::atomic<bool>* stop_;
    std::chrono::steady_clock::time_point ends_;
    bool is_over_ = false;
    std::size_t removed_ = 0;
    std::size_t number_ = 0;
    int error_ = 0;
};

}  // namespace

Result<void> remove_tree(const std::filesystem::path& path, const RemoveLimits& limits) {
    const auto failed = [&](int error) {
        return fail("cannot remove all of " + path.string() + ": " + std::system_category().message(error));
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
    TreeRemover remover(folder.get(), limits);
    remover.run();
    if (::rmdir(path.c_str()) == 0) return {};
    return failed(remover.error() != 0 ? remover.error() : errno);
}

Result<void> remove_tree(const std::filesystem::path& path) {
    return remove_tree(path, RemoveLimits());
}

Result<void> set_aside(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) == 0 || errno == ENOENT || ::rmdir(path.c_str()) == 0) return {};
    const auto aside = path.parent_path() / random_name();
    if (::rename(path.c_str(), aside.c_str()) == 0) return {};
    return fail("cannot rename " + path.string() + " to make room: " + std::system_category().message(errno));
}

Result<void> remove_set_aside(const std::filesystem::path& folder, const RemoveLimits& limits) {
    std::vector<std::string> names;
    const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened) return {};
    for_each_entry(opened.get(), [&](const dirent& entry) {
        if (std::string_view(entry.d_name).starts_with(aside_prefix)) names.emplace_back(entry.d_name);
        return true;
    });
    Result<void> removed;
    for (const auto& name : names) {
        if (auto done = remove_tree(folder / name, limits); !done && removed) removed = done;
    }
    return removed;
}

}  // namespace trebuchet
