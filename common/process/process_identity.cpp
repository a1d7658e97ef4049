#include "common/process/process_identity.hpp"

#include "common/file/safe_file.hpp"
#include "common/process/process_tree.hpp"

#include <csignal>
#include <cstdlib>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How often it is looked for processes that are still there, or were forked meanwhile.
constexpr milliseconds look_again{10};
constexpr std::size_t stat_limit = 4096;
/// An environment has no limit of its own; what is longer counts as without the marker.
constexpr std::size_t environment_limit = std::size_t{4} << 20;

std::string boot_id() {
    auto text = read_file("/proc/sys/kernel/random/boot_id", stat_limit).value_or("");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

std::string proc_file(pid_t pid, const char* name) {
    return "/proc/" + std::to_string(pid) + "/" + name;
}

/// Fields 3 (state) and 22 (start time) of proc(5); the second, the name, may hold blanks and ")".
std::optional<std::uint64_t> start_time_of(pid_t pid) {
    const auto text = read_file(proc_file(pid, "stat"), stat_limit).value_or("");
    auto at = text.rfind(')');
    if (at == std::string::npos || at + 2 >= text.size()) return std::nullopt;
    if (const char state = text[at + 2]; state == 'Z' || state == 'X') return std::nullopt;
    for (int blanks = 0; blanks < 20; ++blanks) {
        at = text.find(' ', at + 1);
        if (at == std::string::npos) return std::nullopt;
    }
    return std::strtoull(text.c_str() + at + 1, nullptr, 10);
}

bool carries(pid_t pid, const std::string& marker) {
    const auto environment = read_file(proc_file(pid, "environ"), environment_limit).value_or("");
    const auto entry = marker + '\0';
    return environment.starts_with(entry) || environment.find('\0' + entry) != std::string::npos;
}

std::vector<pid_t> all_processes() {
    std::vector<pid_t> pids;
    const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
    if (!proc) return pids;
    while (const dirent* entry = ::readdir(proc.get())) {  // NOLINT(concurrency-mt-unsafe)
        const auto pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
        if (pid > 0) pids.push_back(pid);
    }
    return pids;
}

/// One that was looked at and can't be mixed up with another any more.
struct Held {
    pid_t pid;
    std::uint64_t start_time;
    FileDescriptor handle;
};

/// The handle is there before it is looked whether the process is the one that is meant.
template <typename Is>
void hold_if(pid_t pid, const Is& is_meant, std::vector<Held>& held) {
    FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!handle || !is_meant()) return;
    if (const auto start = start_time_of(pid)) held.push_back({pid, *start, std::move(handle)});
}

std::vector<Held> find(const LeftProcesses& left) {
    std::vector<Held> held;
    if (left.supervisor && identity_of(left.supervisor->pid) == left.supervisor) {
        for (const pid_t pid : descendants_of(left.supervisor->pid)) {
            hold_if(
                pid, [&] { return identity_of(left.supervisor->pid) == left.supervisor; }, held);
        }
        hold_if(
            left.supervisor->pid, [&] { return identity_of(left.supervisor->pid) == left.supervisor; }, held);
    }
    if (left.marker.empty()) return held;
    std::set<pid_t> ours{::getpid(), ::getppid()};
    for (const pid_t pid : descendants_of(::getpid())) ours.insert(pid);
    for (const auto& process : held) ours.insert(process.pid);
    for (const pid_t pid : all_processes()) {
        if (!ours.contains(pid))
            hold_if(
                pid, [&] { return carries(pid, left.marker); }, held);
    }
    return held;
}

}  // namespace

std::optional<ProcessIdentity> identity_of(pid_t pid) {
    const auto start = start_time_of(pid);
    if (!start) return std::nullopt;
    return ProcessIdentity{pid, *start, boot_id()};
}

std::optional<std::size_t> end_left_processes(const LeftProcesses& left, milliseconds grace, milliseconds limit) {
    std::set<std::pair<pid_t, std::uint64_t>> told;
    const auto begun = steady_clock::now();
    while (true) {
        const auto alive = find(left);
        if (alive.empty()) return told.size();
        const auto passed = steady_clock::now() - begun;
        if (passed >= limit) return std::nullopt;
        for (const auto& process : alive) {
            const bool is_new = told.emplace(process.pid, process.start_time).second;
            const bool is_supervisor = left.supervisor && process.pid == left.supervisor->pid;
            const auto send = [&](int signal) {
                ::syscall(SYS_pidfd_send_signal, process.handle.get(), signal, nullptr, 0);
            };
            // The supervisor ends by itself when its tree is gone; it would take no TERM.
            if (passed >= grace) {
                if (!is_supervisor || alive.size() == 1) send(SIGKILL);
            } else if (is_new && !is_supervisor) {
                send(SIGTERM);
                send(SIGCONT);
            }
        }
        std::this_thread::sleep_for(look_again);
    }
}

}  // namespace trebuchet
