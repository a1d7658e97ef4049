#pragma once

#include "common/base/result.hpp"

#include <filesystem>

namespace trebuchet {

/// Where the kernel tells of disks; tests bring their own.
struct KernelFiles {
    std::filesystem::path proc = "/proc";
    std::filesystem::path sys = "/sys";
};

/// Fails if the block device `major:minor` is in use by this system: it, one of its partitions or the disk that it is a
/// part of is mounted, is swap, or is held by device-mapper or RAID.
[[nodiscard]] Result<void> check_disk_is_unused(unsigned int major, unsigned int minor, const KernelFiles& files = {});

}  // namespace trebuchet
