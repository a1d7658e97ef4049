#include "tests/bench/process_figures.hpp"

#include "tests/integration/harness/process_status.hpp"

#include <ctime>
#include <fstream>
#include <limits>
#include <string>

#include <unistd.h>

namespace trebuchet {
namespace {

constexpr double bytes_per_megabyte = 1e6;

std::optional<double> megabytes(pid_t pid, const std::string& key, const std::string& file = "status") {
    const auto kibibytes = harness::process_status(pid, key, file);
    if (!kibibytes) return std::nullopt;
    return static_cast<double>(*kibibytes) * 1024 / bytes_per_megabyte;
}

/// Returns 0 if the process has ended.
std::chrono::duration<double> cpu_time(pid_t pid) {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return {};
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// Fields 16 and 17 of /proc/PID/stat (proc(5)).
std::chrono::duration<double> cpu_time_of_children(pid_t pid) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    in.ignore(std::numeric_limits<std::streamsize>::max(), ')');
    std::string skipped;
    for (int number = 3; number < 16; ++number) in >> skipped;
    long user = 0;
    long system = 0;
    in >> user >> system;
    return std::chrono::duration<double>(static_cast<double>(user + system) /
                                         static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

}  // namespace

ProcessFigures figures_of(pid_t pid) {
    ProcessFigures figures;
    figures.rss_megabytes = megabytes(pid, "VmRSS").value_or(0);
    figures.peak_megabytes = megabytes(pid, "VmHWM").value_or(0);
    figures.pss_megabytes = megabytes(pid, "Pss", "smaps_rollup");
    figures.threads = static_cast<int>(harness::process_status(pid, "Threads").value_or(0));
    figures.cpu_time = cpu_time(pid);
    figures.cpu_time_with_children = figures.cpu_time + cpu_time_of_children(pid);
    return figures;
}

}  // namespace trebuchet
