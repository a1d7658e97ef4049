#include "common/process/tree_kill.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr int most_walks = 20;
/// A log names no more of them.
constexpr std::size_t most_survivors = 20;

std::uint64_t key_of(pid_t pid, std::uint64_t start_time) {
    return (start_time << 22U) ^ static_cast<std::uint64_t>(pid);  // pid_max is 2^22 at most
}

/// A part of /proc/PID/`file`, whose first bytes are enough.
std::string told_of(pid_t pid, const char* file) {
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/%s", pid, file);
    std::array<char, 1024> text{};
    const int fd = ::open(path.data(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return "";
    const auto length = ::read(fd, text.data(), text.size());
    ::close(fd);
    return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : "";
}

std::string name_of(pid_t pid) {
    auto name = told_of(pid, "comm");
    while (!name.empty() && name.back() == '\n') name.pop_back();
    for (char& letter : name) {
        if (letter < ' ' || letter > '~') letter = '?';
    }
    return name;
}

uid_t user_of(pid_t pid) {
    const auto status = told_of(pid, "status");
    const auto at = status.find("\nUid:");
    return at == std::string::npos ? 0 : static_cast<uid_t>(std::strtoul(status.c_str() + at + 5, nullptr, 10));
}

}  // namespace

TreeKill::TreeKill(pid_t root, std::function<bool(pid_t)> is_spared) : walk_(root, std::move(is_spared)) {}

void TreeKill::visit(const HeldProcess& process) {
    if (met_before_.insert(key_of(process.pid(), process.start_time())).second) ++new_ones_;
    process.signal(freezes_ ? SIGSTOP : SIGKILL);
    if (process.is_alive()) alive_.push_back({process.pid(), process.start_time()});
}

TreeKill::Progress TreeKill::step(std::size_t count) {
    if (walk_.step(count, [this](const HeldProcess& process) { visit(process); })) return Progress::working;
    return end_walk();
}

TreeKill::Progress TreeKill::end_walk() {
    left_ = std::exchange(alive_, {});
    const bool anybody_new = std::exchange(new_ones_, 0) > 0;
    ++walks_;
    if (left_.empty() && !anybody_new) return Progress::empty;
    if (freezes_) {
        if (!anybody_new || walks_ >= most_walks) {
            freezes_ = false;
            walks_ = 0;
        }
        return Progress::working;
    }
    if (walks_ >= most_walks) {
        freezes_ = true;
        walks_ = 0;
        met_before_.clear();
    }
    return anybody_new ? Progress::working : Progress::waiting;
}

std::vector<Survivor> TreeKill::survivors() const {
    std::vector<Survivor> found;
    for (const auto& [pid, start_time] : left_) {
        if (found.size() >= most_survivors) break;
        Survivor survivor{pid, start_time, user_of(pid), name_of(pid)};
        const auto now = read_process_stat(pid);
        if (now && now->is_alive && now->start_time == start_time) found.push_back(std::move(survivor));
    }
    return found;
}

}  // namespace trebuchet
