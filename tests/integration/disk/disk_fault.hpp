#pragma once

#include <string>

namespace trebuchet::harness {

/// Makes the disk fail for a program that is started with the library trebuchet_disk_fault in LD_PRELOAD. Its children
/// are not affected. In the folder that DISK_FAULT_FOLDER names, calls that change something fail as the file that
/// DISK_FAULT_ORDER names says. The file is read before each call:
///
///     no file             nothing fails
///     "ERRNO N"           calls fail with ERRNO from the N-th on, counted from 1 since this order was given;
///                         statvfs then shows no free space (ENOSPC), access no write permission (EROFS)
///     "ERRNO N sync"      the same, but only fsync and fdatasync fail
inline constexpr const char* disk_fault_folder = "DISK_FAULT_FOLDER";
inline constexpr const char* disk_fault_order = "DISK_FAULT_ORDER";

}  // namespace trebuchet::harness
