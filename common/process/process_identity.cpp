// How what a former life of this program left running is found and ended, by end_left_processes:
//
//  1. Below the supervisor that the journal names, if it is that process still (pid, start time and boot agree).
//  2. In the command's cgroup, where there is one: nobody gets out of it by taking another parent or environment.
//  3. Whoever has the command's marker in the environment with which it was started: also what was adopted by init.
//  4. Each process is held by a pidfd before it is looked at, and signalled at once: TERM when it is met first, from
//  the
//     end of the grace on KILL. A chain that forks every 2 ms would be gone if all were
//     found first.
//  5. Again every 10 ms until a look finds nobody.
//
// Example: the agent and the supervisor 50 of a test were killed, its daemon 60 runs on below init. 1 finds no process
// 50 any more; 3 meets 60, whose environment holds TREBUCHET_PHASE_ID=…, and sends TERM; the next look finds nobody: 1.
#include "common/process/process_identity.hpp"

#include "common/file/safe_file.hpp"
#include "common/process/cgroup.hpp"
#include "common/process/process_tree.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <memory>
#include <set>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include <dirent.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How often it is looked for processes that are still there, or were forked meanwhile.
constexpr milliseconds look_again{10};
constexpr std::size_t boot_id_limit = 4096;
/// An environment has no limit of its own; what is longer counts as without the marker.
constexpr std::size_t environment_limit = std::size_t{4} << 20;
constexpr auto everything = std::numeric_limits<std::size_t>::max();

std::string boot_id() {
    auto text = read_file("/proc/sys/kernel/random/boot_id", boot_id_limit).value_or("");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

bool carries(pid_t pid, const std::string& marker) {
    const auto environment = read_file("/proc/" + std::to_string(pid) + "/environ", environment_limit).value_or("");
    const auto entry = marker + '\0';
    return environment.starts_with(entry) || environment.find('\0' + entry) != std::string::npos;
}

template <typename Take>
void for_each_process(const Take& take) {
    const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
    if (!proc) return;
    while (const dirent* entry = ::readdir(proc.get())) {  // NOLINT(concurrency-mt-unsafe)
        const auto pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
        if (pid > 0) take(pid);
    }
}

class LeftProcessEnder {
  public:
    LeftProcessEnder(const LeftProcesses& left, milliseconds grace) : left_(left), grace_(grace) {
        if (!left.cgroup.empty()) cgroup_ = Cgroup::find(left.cgroup);
    }

    /// Looks for them once; true if nobody is left.
    bool look() {
        alive_ = 0;
        kills_ = steady_clock::now() - begun_ >= grace_;
        if (cgroup_) {
            for (const pid_t pid : cgroup_->processes()) {
                visit_process(pid, is_alive, [this](const HeldProcess& process) { tell(process); });
            }
            if (kills_) cgroup_->kill();
        }
        visit_supervised();
        if (!left_.marker.empty()) visit_marked();
        if (alive_ > 0) return false;
        return !cgroup_ || cgroup_->remove();
    }

    [[nodiscard]] std::size_t count() const { return met_.size(); }
    [[nodiscard]] milliseconds passed() const {
        return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begun_);
    }

  private:
    static bool is_alive(const ProcessStat& stat) { return stat.is_alive; }

    void tell(const HeldProcess& process) {
        if (!process.is_alive()) return;
        ++alive_;
        const bool is_new = met_.emplace(process.pid(), process.start_time()).second;
        if (kills_) {
            process.signal(SIGKILL);
        } else if (is_new) {
            process.signal(SIGTERM);
            process.signal(SIGCONT);
        }
    }

    /// The supervisor ends by itself when its tree is gone; it would take no TERM.
    void visit_supervised() {
        if (!left_.supervisor) return;
        const pid_t supervisor = left_.supervisor->pid;
        if (identity_of(supervisor) != left_.supervisor) return;
        TreeWalk(supervisor).step(everything, [&](const HeldProcess& process) {
            if (identity_of(supervisor) == left_.supervisor) tell(process);
        });
        const auto is_it = [&](const ProcessStat& stat) {
            return stat.is_alive && stat.start_time == left_.supervisor->start_time;
        };
        visit_process(supervisor, is_it, [&](const HeldProcess& process) {
            const bool has_nobody = alive_ == 0;
            ++alive_;
            met_.emplace(process.pid(), process.start_time());
            process.signal(kills_ && has_nobody ? SIGKILL : SIGCONT);
        });
    }

    void visit_marked() {
        std::set<pid_t> ours{::getpid(), ::getppid()};
        for (const pid_t pid : descendants_of(::getpid())) ours.insert(pid);
        for_each_process([&](pid_t pid) {
            if (ours.contains(pid)) return;
            const auto is_marked = [&](const ProcessStat& stat) { return stat.is_alive && carries(pid, left_.marker); };
            visit_process(pid, is_marked, [this](const HeldProcess& process) { tell(process); });
        });
    }

    const LeftProcesses& left_;
    milliseconds grace_;
    std::optional<Cgroup> cgroup_;
    steady_clock::time_point begun_ = steady_clock::now();
    bool kills_ = false;
    std::size_t alive_ = 0;
    std::set<std::pair<pid_t, std::uint64_t>> met_;
};

}  // namespace

std::optional<ProcessIdentity> identity_of(pid_t pid) {
    const auto stat = read_process_stat(pid);
    if (!stat || !stat->is_alive) return std::nullopt;
    return ProcessIdentity{pid, stat->start_time, boot_id()};
}

std::optional<std::size_t> end_left_processes(const LeftProcesses& left, milliseconds grace, milliseconds limit) {
    LeftProcessEnder ender(left, grace);
    while (!ender.look()) {
        if (ender.passed() >= limit) return std::nullopt;
        std::this_thread::sleep_for(look_again);
    }
    return ender.count();
}

}  // namespace trebuchet
