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

/// Of all processes of a job together; 0: no limit.
struct CgroupLimits {
    std::uint64_t memory = 0;  ///< bytes
    std::uint64_t pids = 0;    ///< processes and threads

    [[nodiscard]] bool any() const { return memory > 0 || pids > 0; }
};

/// What limits have done to processes.
struct LimitEvents {
    std::uint64_t oom_kills = 0;      ///< processes that the kernel killed for want of memory
    std::uint64_t refused_forks = 0;  ///< times that a process or thread could not be started
};

/// A control group of version 2 (cgroups(7)) of a job's phase, below the one that this program was started in. What is
/// put there, and all that descends from it, can be killed in one step, whoever its parent and its user are.
///
/// A process of our user may do with these groups what we may: it can move itself out of them, freeze or fill them,
/// make them useless for whoever comes next (a threaded group takes no processes). So make() accepts no group that it
/// did not make itself, thaw() is for whoever waits for a process in one, and removing works in bounded steps.
class Cgroup {
  public:
    /// `name`: "JOB/PHASE". Makes JOB if it is missing, and PHASE, which must be new: what is left of that name is
    /// killed and removed, or JOB.1, JOB.2, … takes JOB's place. Fails where the host does not let us, such as under
    /// systemd without Delegate=yes.
    static Result<Cgroup> make(const std::string& name);
    /// Those that are there of this job, with all below them: JOB, JOB.1, …
    static std::vector<Cgroup> find(const std::string& job);
    /// The names of the jobs whose groups are there and begin with `prefix`.
    static std::vector<std::string> jobs(const std::string& prefix);

    /// Whether make() can succeed.
    [[nodiscard]] static bool is_available();

    /// Makes limits possible: moves this program, and what else is in its cgroup, into a group below that, as the
    /// kernel gives controllers to groups only whose parent has no processes. Call it once, before anything is started.
    static Result<void> enable_limits(const CgroupLimits& limits);
    /// Limits all phases of this one's job together. Call enable_limits() before.
    [[nodiscard]] Result<void> limit(const CgroupLimits& limits) const;
    /// Of all phases of the job since it has limits.
    [[nodiscard]] LimitEvents limit_events() const;

    /// Its folder, as a descriptor.
    [[nodiscard]] int folder() const { return folder_.get(); }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// KILL to every process in it and below it.
    void kill() const;
    /// Lets its processes run again if somebody has frozen it, or its job's; true if so.
    bool thaw() const;
    /// Of the processes in it and below it, some; as many as one look finds.
    [[nodiscard]] std::vector<pid_t> processes() const;
    /// Whether a process, not counting zombies, is in it or below it.
    [[nodiscard]] bool is_populated() const;
    /// Of all processes that ever were in it.
    [[nodiscard]] std::optional<std::chrono::microseconds> cpu_time() const;

    enum class Removal {
        working,  ///< call again
        done,
        failed  ///< removal_problem() says why; another call tries again
    };
    /// Removes `count` of the groups below it, and once there are none itself, and its job's if that is empty then.
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
    FileDescriptor place_;             ///< where removing goes on
    std::vector<std::string> levels_;  ///< from the folder to there
    std::string problem_;
};

/// The folder of the cgroup that a process is in, out of its /proc/PID/cgroup and /proc/PID/mountinfo; "" if it is in
/// none of version 2 or no mount shows it.
[[nodiscard]] std::filesystem::path cgroup_folder(std::string_view cgroup, std::string_view mountinfo);

/// The controllers that limits need and the group does not have.
[[nodiscard]] std::vector<std::string> missing_controllers(const std::filesystem::path& group,
                                                           const CgroupLimits& limits);
/// Of this program's own group.
[[nodiscard]] std::vector<std::string> missing_controllers(const CgroupLimits& limits);

/// What enable_limits() does with a group.
[[nodiscard]] Result<void> enable_controllers(const std::filesystem::path& group, const CgroupLimits& limits);
/// What limit() does with a job's group.
[[nodiscard]] Result<void> write_limits(const std::filesystem::path& group, const CgroupLimits& limits);
/// What limit_events() reads of it.
[[nodiscard]] LimitEvents read_limit_events(const std::filesystem::path& group);

}  // namespace trebuchet
