#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// For all processes of a job together; 0: no limit.
struct CgroupLimits {
    std::uint64_t memory = 0;  ///< bytes
    std::uint64_t pids = 0;    ///< processes and threads

    [[nodiscard]] bool any() const { return memory > 0 || pids > 0; }
};

/// How often limits took effect.
struct LimitEvents {
    std::uint64_t oom_kills = 0;      ///< processes that the kernel killed because memory ran out
    std::uint64_t refused_forks = 0;  ///< times that a process or thread could not be started
};

/// A version 2 control group (cgroups(7)) for a phase of a job, below this program's own group. All processes in it and
/// their descendants can be killed in one step, whatever their parent and user.
///
/// A process of our user can do whatever we can with these groups: leave them, freeze them, fill them, or make them
/// unusable (a threaded group accepts no processes). So make() accepts only a group that it has just created, thaw()
/// lets those who wait for a process undo a freeze, and removal works in bounded steps.
class Cgroup {
  public:
    /// `name`: "JOB/PHASE". Creates JOB if it is missing, and a new PHASE: an old group of that name is killed and
    /// removed; if that fails, JOB.1, JOB.2, … are tried. Fails if the host does not allow it, for example under
    /// systemd without Delegate=yes.
    static Result<Cgroup> make(const std::string& name);
    /// The existing groups of this job, including everything below them: JOB, JOB.1, …
    static std::vector<Cgroup> find(const std::string& job);
    /// The names of the jobs that have groups and start with `prefix`.
    static std::vector<std::string> jobs(const std::string& prefix);

    /// The group that another instance of this program is to be started in. It can make its own groups in NAME, beside
    /// it. Both are made if they are missing; nothing in them is killed. `name`: without '.' and '/'.
    static Result<Cgroup> make_for_instance(const std::string& name);

    /// Whether this program is the only process of its own cgroup, as a service of its own is.
    [[nodiscard]] static bool is_own();

    /// Whether make() can succeed.
    [[nodiscard]] static bool is_available();

    /// Prepares for limits: moves this program, and whatever else is in its cgroup, into a group below it. The kernel
    /// enables controllers only in groups without processes of their own. Call it once, before starting anything.
    static Result<void> enable_limits(const CgroupLimits& limits);
    /// Limits all phases of this job together. Call enable_limits() first.
    [[nodiscard]] Result<void> limit(const CgroupLimits& limits) const;
    /// For all phases of the job, since its limits were set.
    [[nodiscard]] LimitEvents limit_events() const;

    /// A descriptor of its folder.
    [[nodiscard]] int folder() const { return folder_.get(); }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// Sends KILL to every process in it and below it.
    void kill() const;
    /// Thaws it, and its job's group, if one of them was frozen; true if so.
    bool thaw() const;
    /// Processes in it and below it: as many as one look finds, perhaps not all.
    [[nodiscard]] std::vector<pid_t> processes() const;
    /// Whether a process other than a zombie is in it or below it.
    [[nodiscard]] bool is_populated() const;
    /// Of all processes that were ever in it.
    [[nodiscard]] std::optional<std::chrono::microseconds> cpu_time() const;

    enum class Removal {
        working,  ///< call again
        done,
        failed  ///< removal_problem() says why; calling again retries
    };
    /// Works through `count` of the groups below it. Once there are none, removes it, and its job's group if that is
    /// empty.
    Removal remove_some(std::size_t count);
    [[nodiscard]] const std::string& removal_problem() const { return problem_; }

  private:
    Cgroup(std::filesystem::path path, FileDescriptor folder) : path_(std::move(path)), folder_(std::move(folder)) {}
    static std::optional<Cgroup> open(const std::filesystem::path& path);
    static Result<Cgroup> make_new(const std::filesystem::path& path);
    [[nodiscard]] bool is_usable() const;
    Removal fail_removal(const std::string& what);

    std::filesystem::path path_;
    FileDescriptor folder_;
    FileDescriptor place_;             ///< where the removal continues
    std::vector<std::string> levels_;  ///< from the folder to `place_`
    std::string problem_;
};

/// The cgroup folder of a process, from its /proc/PID/cgroup and /proc/PID/mountinfo; "" if it is in no version 2 group
/// or no mount shows it.
[[nodiscard]] std::filesystem::path cgroup_folder(std::string_view cgroup, std::string_view mountinfo);

/// The controllers that the limits need and the group lacks.
[[nodiscard]] std::vector<std::string> missing_controllers(const std::filesystem::path& group,
                                                           const CgroupLimits& limits);
/// The same for this program's own group.
[[nodiscard]] std::vector<std::string> missing_controllers(const CgroupLimits& limits);

/// The part of enable_limits() that changes a group.
[[nodiscard]] Result<void> enable_controllers(const std::filesystem::path& group, const CgroupLimits& limits);
/// The part of limit() that changes a job's group.
[[nodiscard]] Result<void> write_limits(const std::filesystem::path& group, const CgroupLimits& limits);
/// The part of limit_events() that reads a job's group.
[[nodiscard]] LimitEvents read_limit_events(const std::filesystem::path& group);

}  // namespace trebuchet
