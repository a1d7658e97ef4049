#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace trebuchet::harness {

/// Returns the number in a line of /proc/PID/`file`: 1234 for "VmRSS:    1234 kB". Returns nullopt if there is no such
/// line or process.
[[nodiscard]] std::optional<long> process_status(pid_t pid, const std::string& key, const std::string& file = "status");

}  // namespace trebuchet::harness
