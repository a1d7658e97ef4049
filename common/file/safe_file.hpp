#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace trebuchet {

/// An open file descriptor, closed in the destructor.
class FileDescriptor {
  public:
    FileDescriptor() = default;
    explicit FileDescriptor(int fd) : fd_(fd) {}
    FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept;
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor();

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }

  private:
    int fd_ = -1;
};

/// Opens a file that a hostile process may have put there, for reading: without following a link in the last part of
/// the path, without blocking on a FIFO, and only if it is a regular file.
[[nodiscard]] Result<FileDescriptor> open_untrusted(const std::filesystem::path& path);

/// All of such a file; an Error, never a part, if it is longer than `limit` bytes.
[[nodiscard]] Result<std::string> read_untrusted(const std::filesystem::path& path, std::size_t limit);

/// A file of ours that holds a secret, whole, without a newline at its end.
[[nodiscard]] Result<SecretString> read_secret_file(const std::filesystem::path& path, std::size_t limit);

/// A file of ours, whole; follows links.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit);

/// Replaces the file in one step (temporary beside it, rename), mode 0600.
[[nodiscard]] Result<void> write_file(const std::filesystem::path& path, std::string_view bytes);

/// Creates a new file, mode 0600; fails if anything of that name exists, a dangling link included.
[[nodiscard]] Result<FileDescriptor> create_new_file(const std::filesystem::path& path);

[[nodiscard]] Result<void> write_all(int fd, std::string_view bytes);

/// Makes the folder and its parents where missing, each 0700. If it was there already, it is left as it is: others may
/// use it too. It must belong to us or to root, who both could change what we put there anyway. But where anybody may
/// make names, as in /tmp, the next part of the path must be a real folder of ours alone, and is set to 0700.
[[nodiscard]] Result<void> make_folder(const std::filesystem::path& path);

/// Makes the folder as make_folder does, and tries whether files can be made in it.
[[nodiscard]] Result<void> check_writable(const std::filesystem::path& folder);

/// The same for a folder of ours alone: a real one, not a link, that belongs to us; it is set to 0700.
[[nodiscard]] Result<void> make_private_folder(const std::filesystem::path& path);

/// Whether a folder, not a link to one, stands there.
[[nodiscard]] bool is_folder(const std::filesystem::path& path);

/// Removes what stands there with all that is in it, also where somebody took our own permissions away. Links are
/// removed, not followed. Nothing there: done.
[[nodiscard]] Result<void> remove_tree(const std::filesystem::path& path);

/// Whether the path lies on tmpfs or ramfs, so that what is written there never reaches a disk.
[[nodiscard]] bool is_on_tmpfs(const std::filesystem::path& path);

}  // namespace trebuchet
