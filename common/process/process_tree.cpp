#include "common/process/process_tree.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace trebuchet {
namespace {

/// The fourth field of /proc/PID/stat (proc(5)); 0 when the process is gone. The second, the name, may hold blanks and
/// ")".
pid_t parent_of(const char* pid) {
    const std::string path = std::string("/proc/") + pid + "/stat";
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    std::array<char, 512> text{};
    const auto length = ::read(fd, text.data(), text.size() - 1);
    ::close(fd);
    if (length <= 0) return 0;
    const char* name_end = std::strrchr(text.data(), ')');
    if (name_end == nullptr || std::strlen(name_end) < 5) return 0;
    return static_cast<pid_t>(std::strtol(name_end + 4, nullptr, 10));
}

using Children = std::unordered_map<pid_t, std::vector<pid_t>>;

/// Of every process.
Children read_children() {
    Children children;
    const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
    if (!proc) return children;
    while (const dirent* entry = ::readdir(proc.get())) {  // NOLINT(concurrency-mt-unsafe)
        const auto pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
        if (pid <= 0) continue;
        if (const pid_t parent = parent_of(entry->d_name); parent > 0) children[parent].push_back(pid);
    }
    return children;
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
    return read_children()[parent];
}

std::vector<pid_t> descendants_of(pid_t root) {
    auto children = read_children();
    std::vector<pid_t> found;
    std::vector<pid_t> open{root};
    while (!open.empty()) {
        const pid_t next = open.back();
        open.pop_back();
        for (const pid_t child : children[next]) {
            found.push_back(child);
            open.push_back(child);
        }
    }
    return found;
}

std::size_t signal_descendants(pid_t root, int signal) {
    const auto all = descendants_of(root);
    for (const pid_t pid : all) ::kill(pid, signal);
    return all.size();
}

}  // namespace trebuchet
