// end_left_processes finds and kills what a previous run of this program left running:
//
//  1. Processes below the supervisor that the journal names, if it is still that process (pid, start time and boot id
//     match).
//  2. Processes in the command's cgroup, if it has one: a new parent or environment does not help them to get out.
//  3. Processes that were started with the command's marker in their environment. This finds those that init adopted.
//  4. Hold each process by a pidfd before looking at it, and signal it at once: TERM at the first meeting, KILL after
//     the grace period. A chain that forks every 2 ms would escape a search that collects all processes first.
//  5. Repeat every 10 ms until a look finds nobody and the kernel says that the cgroup is empty.
//  6. Remove the cgroup.
//
// Example: the agent and supervisor 50 of a test were killed, and the test's daemon 60 runs on below init. Step 1 finds
// no process 50. Step 3 finds 60, whose environment contains TREBUCHET_PHASE_ID=…, and sends TERM. The next look finds
// nobody; the count is 1.
#include "common/process/process_identity.hpp"

#include "common/file/safe_file.hpp"
#include "common/process/cgroup.hpp"

#include <algorithm>
#include <csignal>
#include <limits>
#include <set>
#include <thread>
#include <utility>

#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// The pause between two looks: processes may be still alive, or newly forked.
constexpr milliseconds look_again{10};
constexpr std::size_t boot_id_limit = 4096;
/// The size of an environment has no limit. A longer one counts as without the marker.
constexpr std::size_t environment_limit = std::size_t{4} << 20;
/// Look this often at processes with an empty environment; some have one permanently.
constexpr int most_unsure_looks = 4;
constexpr std::size_t groups_per_step = 100;
constexpr auto everything = std::numeric_limits<std::size_t>::max();

std::string boot_id() {
    auto text = read_file("/proc/sys/kernel/random/boot_id", boot_id_limit).value_or("");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

enum class Carries { yes, no, perhaps };

/// A process has an empty environment for a moment while it executes another program.
Carries carries(pid_t pid, const std::string& marker) {
    const auto environment = read_file("/proc/" + std::to_string(pid) + "/environ", environment_limit);
    if (!environment) return Carries::no;
    if (environment->empty()) return Carries::perhaps;
    const auto entry = marker + '\0';
    const bool is_there = environment->starts_with(entry) || environment->find('\0' + entry) != std::string::npos;
    return is_there ? Carries::yes : Carries::no;
}

class LeftProcessEnder {
  public:
    LeftProcessEnder(const LeftProcesses& left, milliseconds grace) : left_(left), grace_(grace) {
        if (!left.cgroup.empty()) cgroups_ = Cgroup::find(left.cgroup);
    }

    /// Looks once for all of them and signals them. True if nobody is left.
    bool look() {
        alive_.clear();
        is_unsure_ = false;
        kills_ = steady_clock::now() - begun_ >= grace_;
        for (const auto& cgroup : cgroups_) {
            for (const pid_t pid : cgroup.processes()) {
                visit_process(pid, is_alive, [this](const HeldProcess& process) { tell(process); });
            }
            cgroup.thaw();
            if (kills_) cgroup.kill();
        }
        visit_supervised();
        if (!left_.marker.empty()) visit_marked();
        if (alive_.empty() && is_unsure_ && ++unsure_looks_ < most_unsure_looks) return false;
        return alive_.empty() &&
               std::none_of(cgroups_.begin(), cgroups_.end(), [](const auto& cgroup) { return cgroup.is_populated(); });
    }

    /// Call when nobody is left. True if there is nothing more to remove.
    bool remove_some_cgroups() {
        return std::all_of(cgroups_.begin(), cgroups_.end(), [](auto& cgroup) {
            return cgroup.remove_some(groups_per_step) != Cgroup::Removal::working;
        });
    }

    [[nodiscard]] std::vector<Survivor> survivors() const {
        std::vector<Survivor> found;
        for (const auto& [pid, start_time] : alive_) {
            if (auto survivor = look_at_survivor(pid, start_time)) found.push_back(std::move(*survivor));
        }
        return found;
    }
    [[nodiscard]] std::size_t count() const { return met_.size(); }
    [[nodiscard]] milliseconds passed() const {
        return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begun_);
    }

  private:
    static bool is_alive(const ProcessStat& stat) { return stat.is_alive; }

    void tell(const HeldProcess& process) {
        if (!process.is_alive()) return;
        alive_.emplace(process.pid(), process.start_time());
        const bool is_new = met_.emplace(process.pid(), process.start_time()).second;
        if (kills_) {
            process.signal(SIGKILL);
        } else if (is_new) {
            process.signal(SIGTERM);
            process.signal(SIGCONT);
        }
    }

    /// The supervisor blocks TERM and exits by itself when its tree is gone.
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
            const bool has_nobody = alive_.empty();
            alive_.emplace(process.pid(), process.start_time());
            met_.emplace(process.pid(), process.start_time());
            process.signal(kills_ && has_nobody ? SIGKILL : SIGCONT);
        });
    }

    void visit_marked() {
        std::set<pid_t> ours{::getpid(), ::getppid()};
        for (const pid_t pid : descendants_of(::getpid())) ours.insert(pid);
        for_each_process([&](pid_t pid) {
            if (ours.contains(pid)) return;
            const auto is_marked = [&](const ProcessStat& stat) {
                const auto found = stat.is_alive ? carries(pid, left_.marker) : Carries::no;
                is_unsure_ = is_unsure_ || found == Carries::perhaps;
                return found == Carries::yes;
            };
            visit_process(pid, is_marked, [this](const HeldProcess& process) { tell(process); });
        });
    }

    const LeftProcesses& left_;
    milliseconds grace_;
    std::vector<Cgroup> cgroups_;
    steady_clock::time_point begun_ = steady_clock::now();
    bool kills_ = false;
    bool is_unsure_ = false;  ///< some process may carry the marker
    int unsure_looks_ = 0;
    std::set<std::pair<pid_t, std::uint64_t>> alive_;  ///< met in this look
    std::set<std::pair<pid_t, std::uint64_t>> met_;
};

}  // namespace

std::optional<ProcessIdentity> identity_of(pid_t pid) {
    const auto stat = read_process_stat(pid);
    if (!stat || !stat->is_alive) return std::nullopt;
    return ProcessIdentity{pid, stat->start_time, boot_id()};
}

EndedProcesses end_left_processes(const LeftProcesses& left, milliseconds grace, milliseconds limit,
                                  const std::atomic<bool>* stop) {
    LeftProcessEnder ender(left, grace);
    const auto is_over = [&] { return ender.passed() >= limit || (stop != nullptr && *stop); };
    while (!ender.look()) {
        if (is_over()) return {ender.count(), false, ender.survivors()};
        std::this_thread::sleep_for(look_again);
    }
    while (!ender.remove_some_cgroups() && !is_over()) continue;
    return {ender.count(), true, {}};
}

}  // namespace trebuchet
