#pragma once

#include <chrono>
#include <optional>

#include <sys/types.h>

namespace trebuchet {

/// Memory, threads and CPU time of a process, from /proc.
struct ProcessFigures {
    double rss_megabytes = 0;             ///< VmRSS of /proc/PID/status
    double peak_megabytes = 0;            ///< VmHWM, the peak
    std::optional<double> pss_megabytes;  ///< smaps_rollup; only root can read it
    int threads = 0;
    std::chrono::duration<double> cpu_time{};  ///< user and system time so far
    /// The same, with that of the children that have ended.
    std::chrono::duration<double> cpu_time_with_children{};
};

/// Megabytes are 10⁶ bytes.
[[nodiscard]] ProcessFigures figures_of(pid_t pid);

}  // namespace trebuchet
