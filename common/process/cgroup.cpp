#include "common/process/cgroup.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t proc_limit = std::size_t{1} << 20;
/// A job of our user can make groups below its own.
constexpr int most_levels = 32;
constexpr int most_groups = 10'000;

std::string read_at(int folder, const char* name) {
    const FileDescriptor file(::openat(folder, name, O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> text{};
    const auto length = file ? ::read(file.get(), text.data(), text.size()) : -1;
    return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : "";
}

/// The number after `key` at the start of a line.
std::optional<long long> value_of(const std::string& text, const std::string& key) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(key + " ")) return std::strtoll(line.c_str() + key.size() + 1, nullptr, 10);
    }
    return std::nullopt;
}

/// mountinfo writes blanks and the like as a backslash and three octal digits.
std::string unescape(const std::string& text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\\' && at + 3 < text.size()) {
            plain += static_cast<char>(std::strtol(text.substr(at + 1, 3).c_str(), nullptr, 8));
            at += 3;
        } else {
            plain += text[at];
        }
    }
    return plain;
}

/// Is known once, at the first question: later this program may have been moved.
const fs::path& own_folder() {
    static const fs::path own = [] {
        const auto cgroup = read_file("/proc/self/cgroup", proc_limit).value_or("");
        const auto mounts = read_file("/proc/self/mountinfo", proc_limit).value_or("");
        auto folder = cgroup_folder(cgroup, mounts);
        const bool is_ours = !folder.empty() && ::access(folder.c_str(), W_OK) == 0 &&
                             ::access((folder / "cgroup.procs").c_str(), W_OK) == 0;
        return is_ours ? folder : fs::path();
    }();
    return own;
}

FileDescriptor open_folder(const fs::path& path) {
    return FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// Calls `take` with each group below a folder, its innermost first, `left` of them at most.
template <typename Take>
void for_each_below(int folder, int levels, int& left, const Take& take) {
    DIR* const entries = ::fdopendir(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (entries == nullptr) return;
    while (const dirent* entry = ::readdir(entries)) {  // NOLINT(concurrency-mt-unsafe)
        const std::string_view name(entry->d_name);
        if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
        if (levels <= 0 || --left < 0) break;
        const FileDescriptor below(::openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!below) continue;
        for_each_below(below.get(), levels - 1, left, take);
        take(folder, entry->d_name, below.get());
    }
    ::closedir(entries);
}

void add_processes(int folder, std::vector<pid_t>& pids) {
    std::istringstream numbers(read_at(folder, "cgroup.procs"));
    for (pid_t pid = 0; numbers >> pid;) {
        if (pid > 0) pids.push_back(pid);
    }
}

}  // namespace

fs::path cgroup_folder(std::string_view cgroup, std::string_view mountinfo) {
    std::string own;
    std::istringstream groups{std::string(cgroup)};
    for (std::string line; std::getline(groups, line);) {
        if (line.starts_with("0::/")) own = line.substr(3);
    }
    if (own.empty() || own.find("/..") != std::string::npos) return {};
    std::istringstream mounts{std::string(mountinfo)};
    for (std::string line; std::getline(mounts, line);) {
        const auto separator = line.find(" - ");
        if (separator == std::string::npos || !line.substr(separator + 3).starts_with("cgroup2 ")) continue;
        std::istringstream fields(line);
        std::string ignored;
        std::string root;
        std::string place;
        fields >> ignored >> ignored >> ignored >> root >> place;
        root = root == "/" ? "" : unescape(root);
        if (own != root && !own.starts_with(root + "/")) continue;
        const auto below = own.substr(root.size());
        return fs::path(unescape(place) + (below == "/" ? "" : below));
    }
    return {};
}

bool Cgroup::is_available() {
    return !own_folder().empty() && ::access((own_folder() / "cgroup.procs").c_str(), W_OK) == 0;
}

std::optional<Cgroup> Cgroup::make(const std::string& name) {
    if (!is_available()) return std::nullopt;
    auto path = own_folder();
    for (const auto& part : fs::path(name)) {
        path /= part;
        if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return std::nullopt;
    }
    return find(name);
}

std::optional<Cgroup> Cgroup::find(const std::string& name) {
    if (!is_available()) return std::nullopt;
    auto path = own_folder() / name;
    auto folder = open_folder(path);
    // Older kernels than 5.14 have no cgroup.kill.
    if (!folder || ::faccessat(folder.get(), "cgroup.kill", W_OK, 0) != 0) return std::nullopt;
    return Cgroup(std::move(path), own_folder(), std::move(folder));
}

void Cgroup::kill() const {
    const FileDescriptor file(::openat(folder_.get(), "cgroup.kill", O_WRONLY | O_CLOEXEC));
    if (file) static_cast<void>(write_all(file.get(), "1"));
}

std::vector<pid_t> Cgroup::processes() const {
    std::vector<pid_t> pids;
    add_processes(folder_.get(), pids);
    int left = most_groups;
    for_each_below(folder_.get(), most_levels, left, [&](int, const char*, int below) { add_processes(below, pids); });
    return pids;
}

bool Cgroup::is_populated() const {
    return value_of(read_at(folder_.get(), "cgroup.events"), "populated").value_or(0) != 0;
}

std::optional<std::chrono::microseconds> Cgroup::cpu_time() const {
    const auto used = value_of(read_at(folder_.get(), "cpu.stat"), "usage_usec");
    if (!used) return std::nullopt;
    return std::chrono::microseconds(*used);
}

bool Cgroup::remove() {
    if (::rmdir(path_.c_str()) != 0 && errno != ENOENT) {
        int left = most_groups;
        for_each_below(folder_.get(), most_levels, left,
                       [](int parent, const char* name, int) { ::unlinkat(parent, name, AT_REMOVEDIR); });
        if (::rmdir(path_.c_str()) != 0 && errno != ENOENT) return false;
    }
    for (auto above = path_.parent_path(); above != own_; above = above.parent_path()) {
        if (::rmdir(above.c_str()) != 0) break;
    }
    return true;
}

}  // namespace trebuchet
