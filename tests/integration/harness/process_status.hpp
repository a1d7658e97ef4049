#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace trebuchet::harness {

/// The number in a line of /proc/PID/`file` such as "VmRSS:    1234 kB": 1234. Nothing if there is no such line, or no
/// such process.
[[nodiscard]] std::optional<long> process_status(pid_t pid, const std::string& key, const std::string& file = "status");

}  // namespace trebuchet::harness
