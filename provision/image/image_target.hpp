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

/// Where an image's bytes go: one stream, written once. Made by one of the functions below.
class ImageTarget {
  public:
    virtual ~ImageTarget() = default;
    /// Only as long as write_image has not closed it.
    [[nodiscard]] virtual int fd() const = 0;
    /// On the writing thread, after the last byte: the target need not be durable before this. Closes fd().
    [[nodiscard]] virtual Result<void> close() = 0;
    /// After close(): waits for the rest; false if it is not done after `time`.
    [[nodiscard]] virtual bool wait_for(std::chrono::milliseconds time) = 0;
    /// Whether all has arrived. If it is not done yet, it is ended.
    [[nodiscard]] virtual Result<void> end() = 0;
    /// After end(): SHA-256, in hex, of the target's first `size` bytes, as they are on it rather than in a cache. Asks
    /// `go_on` now and then, and ends with an Error if that says no.
    [[nodiscard]] virtual Result<std::string> read_back(std::uint64_t size, const std::function<bool()>& go_on) = 0;

    std::string name;                       ///< for people
    std::optional<std::uint64_t> capacity;  ///< bytes that fit, where known
    bool takes_compressed = false;          ///< it decompresses zstd, gzip and xz by itself
};

/// A block device, which must not be in use (mounted, swap, held; a partition of the same disk counts), or a file. A
/// file that is not empty stands for a disk of its size: no byte is written beyond it, and none after the image is
/// changed.
[[nodiscard]] Result<std::unique_ptr<ImageTarget>> open_local_target(const std::filesystem::path& path,
                                                                     const KernelFiles& files = {});

/// A block device of another host, by `zstdcat` and `dd` there, with sudo. `ssh` must outlive it.
[[nodiscard]] Result<std::unique_ptr<ImageTarget>> open_remote_target(Ssh& ssh, const std::string& device);

}  // namespace trebuchet
