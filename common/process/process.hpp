#pragma once

#include "common/base/result.hpp"
#include "common/event/event_loop.hpp"
#include "common/process/cgroup.hpp"
#include "common/process/environment.hpp"
#include "common/process/process_identity.hpp"
#include "common/process/process_tree.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// The user to run a command as: numeric, so that starting it looks up no names.
struct ProcessUser {
    uid_t user = 0;
    gid_t group = 0;
    std::vector<gid_t> groups{};  ///< all of its supplementary groups

    bool operator==(const ProcessUser&) const = default;
};

/// Describes a command to run.
struct ProcessSpec {
    std::string title;    ///< what `ps` shows of its supervisor, such as "test": no secrets
    std::string command;  ///< run with /bin/sh -c, stdin from /dev/null
    std::filesystem::path folder;
    Environment environment;  ///< complete: nothing is inherited
    /// Nothing: run as this program's user. Otherwise this program must be root, or have CAP_SETUID, CAP_SETGID,
    /// CAP_CHOWN and CAP_KILL as ambient capabilities; the command gets none of them. The supervisor keeps this
    /// program's user, so the command cannot signal it.
    std::optional<ProcessUser> user{};
    std::chrono::milliseconds kill_grace{10'000};
    /// The cgroup to run in, such as "trebuchet-job-ID/test", if this program may create one (cgroup.hpp); "": none.
    /// Removed once the tree is gone.
    std::string cgroup;
    CgroupLimits limits{};  ///< of the job's cgroup; Cgroup::enable_limits() must have succeeded
};

struct Exited {
    int code = 0;  ///< 0 to 255
};
struct Signalled {
    int signal = 0;
};
struct CouldNotStart {
    std::string reason;
};

/// How the command itself ended.
using ProcessEnd = std::variant<Exited, Signalled, CouldNotStart>;

/// A running command and all of its descendants, under their own supervisor (`supervise_phase`). None of them outlives
/// this process or this object, except those that it has no permission to kill.
///
///     running ──command exits──▶ ended ──last descendant gone──▶ gone
///     running or ended ──stop()──▶ TERM to the tree, grace, KILL ──▶ gone
///
/// It reaches `gone` even if the tree resists:
///   - A stopped supervisor is continued; a frozen cgroup is thawed.
///   - If the supervisor was killed, or has not finished 1 s after the grace, this process kills the tree itself.
///   - What is left 5 s after the grace period (kill(): after the limit) is given up; survivors() names it.
///
/// Not thread-safe: use it on the loop's thread, where it calls the handlers. The program should be a subreaper
/// (adopt_orphans).
class Process {
  public:
    struct Handlers {
        /// Output of the whole tree, stdout and stderr combined. No calls after `ended`.
        std::function<void(std::string_view)> output;
        /// The command has ended and its output was read. `left` descendants still run, until stop().
        std::function<void(const ProcessEnd&, std::size_t left)> ended;
        /// The supervisor and all descendants are gone, except the survivors. Comes after `ended`.
        std::function<void()> gone;
        /// One sentence: somebody interfered with the supervisor or the cgroup. No calls after `ended`.
        std::function<void(const std::string&)> troubled{};
    };

    static std::unique_ptr<Process> start(EventLoop& loop, const ProcessSpec& spec, Handlers handlers);

    /// Kills what is left of the tree and waits for its supervisor, at most 2 s.
    virtual ~Process() = default;

    /// Sends TERM to the tree and KILL after the grace period. Further calls have no effect.
    virtual void stop() = 0;
    /// Sends KILL to the tree now. Gives up after `limit`.
    virtual void kill(std::chrono::milliseconds limit = std::chrono::milliseconds(5'000)) = 0;
    /// Back-pressure: stops reading the pipe until resumed. Once the pipe is full, the tree blocks.
    virtual void pause_output() = 0;
    virtual void resume_output() = 0;
    [[nodiscard]] virtual bool is_gone() const = 0;
    /// The supervisor's identity, for the next run of this program; nothing if it could not be started or is gone.
    [[nodiscard]] virtual std::optional<ProcessIdentity> supervisor() const = 0;
    /// Once it is gone: the processes that could not be killed.
    [[nodiscard]] virtual const std::vector<Survivor>& survivors() const = 0;
    /// Once it is gone: why its cgroup could not be removed; "" if it was.
    [[nodiscard]] virtual const std::string& cgroup_problem() const = 0;
    /// CPU time of the whole tree so far; nothing without a cgroup.
    [[nodiscard]] virtual std::optional<std::chrono::microseconds> cpu_time() const = 0;
    /// What the job's limits have done since this process was started.
    [[nodiscard]] virtual LimitEvents limit_events() const = 0;
};

/// Makes this program a subreaper: if a supervisor is killed, its orphans become our children, so that we can kill
/// them. Also lets the kernel reap our children, so that no chain of processes can fill the process table with zombies.
/// Call it in main before starting anything, and only if the program needs no child's exit status.
void adopt_orphans();

}  // namespace trebuchet
