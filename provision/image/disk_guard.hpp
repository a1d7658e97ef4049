#pragma once

#include "common/base/result.hpp"

#include <filesystem>

namespace trebuchet {

/// Where to read about disks; tests use their own folders.
struct KernelFiles {
    std::filesystem::path proc = "/proc";
    std::filesystem::path sys = "/sys";
};

/// Fails if this system uses the block device `major:minor`: if the device, one of its partitions or its whole disk is
/// mounted, is swap, or is held by device-mapper or RAID.
[[nodiscard]] Result<void> check_disk_is_unused(unsigned int major, unsigned int minor, const KernelFiles& files = {});

}  // namespace trebuchet
