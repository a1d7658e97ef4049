#pragma once

#include "common/base/result.hpp"
#include "provision/image/disk_guard.hpp"
#include "provision/ssh/ssh.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace trebuchet {

/// The destination of an image: a stream, written once.
class ImageTarget {
  public:
    virtual ~ImageTarget() = default;
    /// Valid until close().
    [[nodiscard]] virtual int fd() const = 0;
    /// Call this on the writing thread after the last byte. Closes fd() and syncs a local target.
    [[nodiscard]] virtual Result<void> close() = 0;
    /// After close(): waits until the target has written everything; false after `time`.
    [[nodiscard]] virtual bool wait_for(std::chrono::milliseconds time) = 0;
    /// Stops a target that is still writing. Fails if not everything was written.
    [[nodiscard]] virtual Result<void> finish() = 0;
    /// After finish(): SHA-256, in hex, of the target's first `size` bytes, read from the device and not from the
    /// cache. Fails soon after `go_on` returns false.
    [[nodiscard]] virtual Result<std::string> read_back(std::uint64_t size, const std::function<bool()>& go_on) = 0;

    std::string name;                       ///< for messages
    std::optional<std::uint64_t> capacity;  ///< in bytes, if known
    bool takes_compressed = false;          ///< the target decompresses zstd, gzip and xz itself
};

/// Opens a block device or a file. A block device must be unused, see check_disk_is_unused(). A non-empty file acts as
/// a disk of its size: it does not grow, and bytes after the image stay unchanged.
[[nodiscard]] Result<std::unique_ptr<ImageTarget>> open_local_target(const std::filesystem::path& path,
                                                                     const KernelFiles& files = {});

/// Opens a block device on another host, written by `zstdcat | sudo dd` there. `ssh` must outlive it.
[[nodiscard]] Result<std::unique_ptr<ImageTarget>> open_remote_target(Ssh& ssh, const std::string& device);

}  // namespace trebuchet
