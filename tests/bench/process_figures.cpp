#include "tests/bench/process_figures.hpp"

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include <unistd.h>

namespace trebuchet {
namespace {

constexpr double bytes_per_megabyte = 1e6;

std::filesystem::path proc(pid_t pid, const char* file) {
    return std::filesystem::path("/proc") / std::to_string(pid) / file;
}

/// The number behind `key`, of lines such as "VmRSS:    1234 kB".
std::optional<long> field(const std::filesystem::path& file, const std::string& key) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (line.rfind(key + ":", 0) == 0) return std::stol(line.substr(key.size() + 1));
    }
    return std::nullopt;
}

std::optional<double> megabytes(const std::filesystem::path& file, const std::string& key) {
    const auto kibibytes = field(file, key);
    if (!kibibytes) return std::nullopt;
    return static_cast<double>(*kibibytes) * 1024 / bytes_per_megabyte;
}

/// Fields 14 and 15 of /proc/PID/stat (proc(5)).
std::chrono::duration<double> cpu_time(pid_t pid) {
    std::ifstream in(proc(pid, "stat"));
    in.ignore(std::numeric_limits<std::streamsize>::max(), ')');
    std::string skipped;
    for (int number = 3; number < 14; ++number) in >> skipped;
    long user = 0;
    long system = 0;
    in >> user >> system;
    return std::chrono::duration<double>(static_cast<double>(user + system) /
                                         static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

}  // namespace

ProcessFigures figures_of(pid_t pid) {
    ProcessFigures figures;
    figures.rss_megabytes = megabytes(proc(pid, "status"), "VmRSS").value_or(0);
    figures.peak_megabytes = megabytes(proc(pid, "status"), "VmHWM").value_or(0);
    figures.pss_megabytes = megabytes(proc(pid, "smaps_rollup"), "Pss");
    figures.threads = static_cast<int>(field(proc(pid, "status"), "Threads").value_or(0));
    figures.cpu_time = cpu_time(pid);
    return figures;
}

}  // namespace trebuchet
