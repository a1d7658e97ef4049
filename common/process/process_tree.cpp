#include "common/process/process_tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr int parent_field = 4;
constexpr int threads_field = 20;
constexpr int start_time_field = 22;

/// How often the children of a root are listed until two lists are equal.
constexpr int most_lists = 8;

/// A log line names at most this many.
constexpr std::size_t most_described = 20;

/// Calls `take` for each name in the folder that is a number.
template <typename Take>
void for_each_number(const char* folder, const Take& take) {
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder), ::closedir);
    if (!entries) return;
    while (const dirent* entry = ::readdir(entries.get())) {  // NOLINT(concurrency-mt-unsafe)
        const auto number = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
        if (number > 0) take(number);
    }
}

/// Calls `take` for each number in a file of numbers separated by blanks. The file may have any length.
template <typename Take>
void for_each_number_in(const char* file, const Take& take) {
    const int fd = ::open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    std::array<char, 4096> text{};
    pid_t number = 0;
    ssize_t length = 0;
    while ((length = ::read(fd, text.data(), text.size())) > 0) {
        for (const char* next = text.data(); next != text.data() + length; ++next) {
            if (*next >= '0' && *next <= '9') {
                number = number * 10 + (*next - '0');
            } else if (number > 0) {
                take(std::exchange(number, 0));
            }
        }
    }
    ::close(fd);
    if (number > 0) take(number);
}

/// True with CONFIG_PROC_CHILDREN.
bool kernel_lists_children() {
    static const bool lists = ::access("/proc/thread-self/children", F_OK) == 0;
    return lists;
}

/// False if the kernel keeps no lists. The list may lack a child if another one was reaped while the kernel wrote it.
bool listed_children(pid_t parent, std::vector<pid_t>& children) {
    if (!kernel_lists_children()) return false;
    std::array<char, 64> folder{};
    std::snprintf(folder.data(), folder.size(), "/proc/%d/task", parent);
    for_each_number(folder.data(), [&](pid_t thread) {
        std::array<char, 96> file{};
        std::snprintf(file.data(), file.size(), "%s/%d/children", folder.data(), thread);
        for_each_number_in(file.data(), [&](pid_t child) { children.push_back(child); });
    });
    return true;
}

/// Whether `children` is a list without gaps. Two lists in a row are equal only if nobody was reaped while the kernel
/// wrote the first: whoever was, is in the first one only.
bool list_all_children(pid_t parent, std::vector<pid_t>& children) {
    std::vector<pid_t> again;
    for (int tries = 0; tries < most_lists; ++tries) {
        again.clear();
        if (!listed_children(parent, again)) return false;
        const bool is_same = tries > 0 && again == children;
        children = again;
        if (is_same) return true;
    }
    return false;
}

/// Whether the process of a pidfd has ended. Works without permission to see the process.
bool has_ended(int handle) {
    pollfd end{handle, POLLIN, 0};
    return ::poll(&end, 1, 0) != 0;
}

std::optional<ProcessStat> held_stat(pid_t pid, int handle) {
    if (auto stat = read_process_stat(pid)) return stat;
    if (has_ended(handle)) return std::nullopt;
    ProcessStat hidden;
    hidden.is_alive = true;
    hidden.is_hidden = true;
    return hidden;
}

std::string name_of(pid_t pid) {
    auto name = read_process_file(pid, "comm");
    while (!name.empty() && name.back() == '\n') name.pop_back();
    for (char& letter : name) {
        if (letter < ' ' || letter > '~') letter = '?';
    }
    return name;
}

std::optional<uid_t> user_of(pid_t pid) {
    const auto status = read_process_file(pid, "status");
    const auto at = status.find("\nUid:");
    if (at == std::string::npos) return std::nullopt;
    return static_cast<uid_t>(std::strtoul(status.c_str() + at + 5, nullptr, 10));
}

}  // namespace

std::string read_process_file(pid_t pid, const char* file) {
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/%s", pid, file);
    const int fd = ::open(path.data(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return "";
    std::array<char, 1023> text{};
    const auto length = ::read(fd, text.data(), text.size());
    ::close(fd);
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

void for_each_process(const std::function<void(pid_t)>& take) {
    for_each_number("/proc", take);
}

std::optional<ProcessStat> read_process_stat(pid_t pid) {
    const auto text = read_process_file(pid, "stat");
    // The second field, the name, may contain blanks and ")".
    const char* at = std::strrchr(text.c_str(), ')');
    if (at == nullptr || at[1] != ' ' || at[2] == '\0') return std::nullopt;
    const char state = at[2];
    ProcessStat stat;
    long threads = 0;
    at += 2;
    for (int field = 4; field <= start_time_field; ++field) {
        at = std::strchr(at, ' ');
        if (at == nullptr) return std::nullopt;
        ++at;
        if (field == parent_field) stat.parent = static_cast<pid_t>(std::strtol(at, nullptr, 10));
        if (field == threads_field) threads = std::strtol(at, nullptr, 10);
        if (field == start_time_field) stat.start_time = std::strtoull(at, nullptr, 10);
    }
    stat.is_alive = (state != 'Z' && state != 'X') || threads > 1;
    return stat;
}

namespace {

std::unordered_map<pid_t, std::vector<pid_t>> children_of_all() {
    std::unordered_map<pid_t, std::vector<pid_t>> children;
    for_each_process([&](pid_t pid) {
        if (const auto stat = read_process_stat(pid)) children[stat->parent].push_back(pid);
    });
    return children;
}

/// For a hidden process: its /proc/PID/stat does not tell us its parent. The caller holds it, so its pid is not reused.
bool is_listed(pid_t parent, pid_t child) {
    std::vector<pid_t> children;
    listed_children(parent, children);
    return std::find(children.begin(), children.end(), child) != children.end();
}

}  // namespace

bool HeldProcess::signal(int number) const {
    return ::syscall(SYS_pidfd_send_signal, handle_, number, nullptr, 0) == 0 || errno != EPERM;
}

bool visit_process(pid_t pid, const std::function<bool(const ProcessStat&)>& is_meant, const VisitProcess& visit) {
    const auto handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (handle < 0) return false;
    const auto stat = held_stat(pid, handle);
    const bool meant = stat && is_meant(*stat);
    if (meant) visit(HeldProcess(pid, *stat, handle));
    ::close(handle);
    return meant;
}

void visit_children(pid_t parent, const VisitProcess& visit) {
    std::vector<pid_t> children;
    if (!listed_children(parent, children)) children = children_of_all()[parent];
    for (const pid_t child : children) {
        visit_process(
            child,
            [&](const ProcessStat& stat) { return stat.is_hidden ? is_listed(parent, child) : stat.parent == parent; },
            visit);
    }
}

TreeWalk::TreeWalk(pid_t root, std::function<bool(pid_t)> is_spared) : root_(root), is_spared_(std::move(is_spared)) {}

void TreeWalk::begin() {
    may_have_missed_ = false;
    if (!kernel_lists_children()) all_children_ = children_of_all();
    add_children(root_);
}

void TreeWalk::add_children(pid_t parent) {
    std::vector<pid_t> children;
    if (!kernel_lists_children()) {
        children = all_children_[parent];
    } else if (parent != root_) {
        listed_children(parent, children);
    } else if (!list_all_children(parent, children)) {
        may_have_missed_ = true;
    }
    for (const pid_t child : children) {
        if (parent == root_ && is_spared_ && is_spared_(child)) continue;
        open_.push_back({child, parent});
    }
}

bool TreeWalk::step(std::size_t count, const VisitProcess& visit) {
    if (open_.empty()) begin();
    for (; count > 0 && !open_.empty(); --count) {
        const auto [pid, parent] = open_.back();
        open_.pop_back();
        // If the parent has ended meanwhile, the child now belongs to the root.
        const auto is_child = [this, child = pid, from = parent](const ProcessStat& stat) {
            if (stat.is_hidden) return is_listed(from, child) || is_listed(root_, child);
            return stat.parent == from || stat.parent == root_;
        };
        if (visit_process(pid, is_child, visit)) {
            add_children(pid);
        } else {
            may_have_missed_ = true;
        }
    }
    return !open_.empty();
}

std::vector<pid_t> descendants_of(pid_t root) {
    std::vector<pid_t> found;
    TreeWalk(root).step(std::numeric_limits<std::size_t>::max(),
                        [&](const HeldProcess& process) { found.push_back(process.pid()); });
    return found;
}

std::optional<Survivor> look_at_survivor(pid_t pid, std::uint64_t start_time) {
    std::optional<Survivor> survivor;
    const auto is_it = [&](const ProcessStat& stat) { return stat.is_alive && stat.start_time == start_time; };
    visit_process(pid, is_it, [&](const HeldProcess&) {
        survivor = Survivor{pid, start_time, user_of(pid), name_of(pid)};
    });
    return survivor;
}

std::string describe(const std::vector<Survivor>& survivors) {
    std::string text;
    std::size_t count = 0;
    for (const auto& survivor : survivors) {
        if (count++ == most_described) break;
        if (!text.empty()) text += ", ";
        text += std::to_string(survivor.pid) + " (user " +
                (survivor.user ? std::to_string(*survivor.user) : "unknown") +
                (survivor.name.empty() ? "" : ", " + survivor.name) + ")";
    }
    if (survivors.size() > most_described) {
        text += " and " + std::to_string(survivors.size() - most_described) + " more";
    }
    return text;
}

}  // namespace trebuchet
