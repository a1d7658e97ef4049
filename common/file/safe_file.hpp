#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace trebuchet {

/// Owns an open file descriptor.
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

/// Opens a file for reading that a hostile process may have created. Does not follow a symbolic link in the last part
/// of the path, does not block on a FIFO, and accepts only regular files.
[[nodiscard]] Result<FileDescriptor> open_untrusted(const std::filesystem::path& path);

/// Reads such a file. Fails, without a partial result, if it is longer than `limit` bytes.
[[nodiscard]] Result<std::string> read_untrusted(const std::filesystem::path& path, std::size_t limit);

/// Reads a trusted file with a secret, without the final newline.
[[nodiscard]] Result<SecretString> read_secret_file(const std::filesystem::path& path, std::size_t limit);

/// Reads a trusted file; follows links.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit);

/// Replaces the file atomically (temporary file, then rename), mode 0600.
[[nodiscard]] Result<void> write_file(const std::filesystem::path& path, std::string_view bytes);

/// Creates a new file, mode 0600. Fails if the name exists, even as a dangling link.
[[nodiscard]] Result<FileDescriptor> create_new_file(const std::filesystem::path& path);

[[nodiscard]] Result<void> write_all(int fd, std::string_view bytes);

/// Creates the folder and missing parents, each 0700. An existing folder keeps its mode, as others may use it; it must
/// belong to us or to root. Below a world-writable folder such as /tmp, the next part of the path must be a real folder
/// of ours, and is set to 0700.
[[nodiscard]] Result<void> make_folder(const std::filesystem::path& path);

/// Calls make_folder and checks that files can be created in the folder.
[[nodiscard]] Result<void> check_writable(const std::filesystem::path& folder);

/// Like make_folder, for a folder that nobody else uses: it must be ours and not a link; it is set to 0700.
[[nodiscard]] Result<void> make_private_folder(const std::filesystem::path& path);

/// True for a folder, false for a link to one.
[[nodiscard]] bool is_folder(const std::filesystem::path& path);

/// Removes a file, or a folder with its content, even if permissions were taken away. Removes links without following
/// them and does not enter mounts. A missing path is a success. Uses three descriptors, however deep the folder is. It
/// takes time for each file: do not call it on the loop's thread for a folder that a job has filled.
[[nodiscard]] Result<void> remove_tree(const std::filesystem::path& path);

/// True if the path is on tmpfs or ramfs. (tmpfs can still be swapped out.)
[[nodiscard]] bool is_on_tmpfs(const std::filesystem::path& path);

}  // namespace trebuchet
