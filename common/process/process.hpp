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

/// Whom a command runs as: numeric, so that nothing looks up a name at that moment.
struct ProcessUser {
    uid_t user = 0;
    gid_t group = 0;
    std::vector<gid_t> groups{};  ///< all of its supplementary groups

    bool operator==(const ProcessUser&) const = default;
};

/// A command to run, apart from running it.
struct ProcessSpec {
    std::string title;    ///< what `ps` shows of its supervisor, such as "test": no secrets
    std::string command;  ///< run by /bin/sh -c, stdin from /dev/null
    std::filesystem::path folder;
    Environment environment;  ///< all of it: nothing is inherited
    /// Nothing: this program's own. Otherwise this program must be root, or have CAP_SETUID, CAP_SETGID, CAP_CHOWN and
    /// CAP_KILL as ambient capabilities; the command has none of them. The supervisor stays this program's user, so the
    /// command can't signal it.
    std::optional<ProcessUser> user{};
    std::chrono::milliseconds kill_grace{10'000};
    /// Of the cgroup that it runs in where this program may make one (cgroup.hpp), such as "trebuchet-job-ID/test"; "":
    /// none. Removed once the tree is gone.
    std::string cgroup;
    CgroupLimits limits{};  ///< of its job's cgroup; Cgroup::enable_limits() must have succeeded
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

/// A running command and all of its descendants, under a supervisor of their own (`supervise_phase`): whatever happens
/// to this process, or to this object, none of them outlives it that it has the right to end.
///
///     running ──command exits──▶ ended ──last descendant gone──▶ gone
///     running or ended ──stop()──▶ TERM to the tree, grace, KILL ──▶ gone
///
/// It gets there also when the tree resists: a supervisor that was stopped is continued, a cgroup that was frozen is
/// thawed; a supervisor that was killed, or is not done a second after the grace, is replaced by this process, which
/// kills the tree itself; and what is still there 5 s after the grace (kill(): after the limit) is left alone, and
/// counts as gone: survivors() names it.
///
/// Handlers are called on the loop's thread. Lives on one thread. The program should be a subreaper (adopt_orphans).
class Process {
  public:
    struct Handlers {
        /// Output of the whole tree, stdout and stderr as one. Not called any more once `ended` was.
        std::function<void(std::string_view)> output;
        /// The command has ended and what it printed was read. `left` of its descendants still run, and go on until
        /// stop().
        std::function<void(const ProcessEnd&, std::size_t left)> ended;
        /// The supervisor is gone, and with it every descendant but the survivors. Comes after `ended`.
        std::function<void()> gone;
        /// Something was done to the supervisor or the cgroup, one sentence. Not called any more once `ended` was.
        std::function<void(const std::string&)> troubled{};
    };

    static std::unique_ptr<Process> start(EventLoop& loop, const ProcessSpec& spec, Handlers handlers);

    /// Kills what is left of the tree, and waits for its supervisor, 2 s at most.
    virtual ~Process() = default;

    /// TERM to the tree, then, after the grace, KILL. Again: no effect.
    virtual void stop() = 0;
    /// KILL to the tree, now.
    virtual void kill(std::chrono::milliseconds limit = std::chrono::milliseconds(5'000)) = 0;
    /// Back-pressure: the pipe is not read until resumed, so that the tree blocks once it is full.
    virtual void pause_output() = 0;
    virtual void resume_output() = 0;
    [[nodiscard]] virtual bool is_gone() const = 0;
    /// Who it is, for a next life of this program; nothing if it could not be started or is gone.
    [[nodiscard]] virtual std::optional<ProcessIdentity> supervisor() const = 0;
    /// Once it is gone: what could not be ended.
    [[nodiscard]] virtual const std::vector<Survivor>& survivors() const = 0;
    /// Once it is gone: why its cgroup could not be removed; "" if it was.
    [[nodiscard]] virtual const std::string& cgroup_problem() const = 0;
    /// CPU time of the whole tree so far, where it has a cgroup.
    [[nodiscard]] virtual std::optional<std::chrono::microseconds> cpu_time() const = 0;
    /// What the limits of its job have done since it was started.
    [[nodiscard]] virtual LimitEvents limit_events() const = 0;
};

/// For main, before anything is started: what a killed supervisor leaves comes to this program, which can end it then;
/// and the kernel reaps its children, so that no chain of processes can fill the process table with zombies. For a
/// program that asks for no child's exit status.
void adopt_orphans();

}  // namespace trebuchet
