#pragma once

#include <chrono>
#include <optional>

#include <sys/types.h>

namespace trebuchet {

/// What the kernel says of a process.
struct ProcessFigures {
    double rss_megabytes = 0;             ///< VmRSS of /proc/PID/status
    double peak_megabytes = 0;            ///< VmHWM, the most that it was
    std::optional<double> pss_megabytes;  ///< smaps_rollup, which the agent's user can't read, but root can
    int threads = 0;
    std::chrono::duration<double> cpu_time{};  ///< user and system, so far
};

/// Megabytes are 10⁶ bytes.
[[nodiscard]] ProcessFigures figures_of(pid_t pid);

}  // namespace trebuchet
