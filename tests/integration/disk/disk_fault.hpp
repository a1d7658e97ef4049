#pragma once

#include <string>

namespace trebuchet::harness {

/// A disk that refuses, for a program that is started with the library trebuchet_disk_fault as LD_PRELOAD; its children
/// are not concerned. Below the folder in DISK_FAULT_FOLDER, calls that change something fail as the file named by
/// DISK_FAULT_ORDER says, which is read before each:
///
///     no file             nothing fails
///     "ERRNO N"           all from the N-th on do, with this number, counted from 1 since this order was given; from
///     then
///                         on statvfs shows no room (ENOSPC), access no permission to write (EROFS)
///     "ERRNO N sync"      likewise, but of fsync and fdatasync only
inline constexpr const char* disk_fault_folder = "DISK_FAULT_FOLDER";
inline constexpr const char* disk_fault_order = "DISK_FAULT_ORDER";

}  // namespace trebuchet::harness
