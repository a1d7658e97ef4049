#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// What /proc/PID/stat says about a process (proc(5)).
struct ProcessStat {
    pid_t parent = 0;
    std::uint64_t start_time = 0;  ///< clock ticks since boot
    /// At least one thread is not a zombie. If only the first thread has ended, /proc shows a zombie, but the process
    /// is still alive.
    bool is_alive = false;
    /// The process is alive, but /proc hides it from us (hidepid=, ProtectProc=): the other fields are unknown.
    bool is_hidden = false;
};

/// Nothing if there is no such process, or if it is hidden.
[[nodiscard]] std::optional<ProcessStat> read_process_stat(pid_t pid);

/// The first bytes (at most 1,023) of /proc/PID/`file`; "" if it cannot be read.
[[nodiscard]] std::string read_process_file(pid_t pid, const char* file);

/// Calls `take` for each process that /proc shows.
void for_each_process(const std::function<void(pid_t)>& take);

/// A process that is held by a pidfd: a signal reaches this process or none, even if its pid was reused. Valid only
/// during the visit.
class HeldProcess {
  public:
    HeldProcess(pid_t pid, const ProcessStat& stat, int handle) : pid_(pid), stat_(stat), handle_(handle) {}

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::uint64_t start_time() const { return stat_.start_time; }
    [[nodiscard]] bool is_alive() const { return stat_.is_alive; }
    /// False if we have no permission, for example for a process of another user.
    bool signal(int number) const;

  private:
    pid_t pid_;
    ProcessStat stat_;
    int handle_;
};

using VisitProcess = std::function<void(const HeldProcess&)>;

/// Opens a pidfd for `pid`, then visits the process if `is_meant` accepts it. False if it is gone or was not accepted.
bool visit_process(pid_t pid, const std::function<bool(const ProcessStat&)>& is_meant, const VisitProcess& visit);

/// Visits only the direct children.
void visit_children(pid_t parent, const VisitProcess& visit);

/// Visits every process below a root, each before its children. It visits a few per step, so that the caller is not
/// blocked for long. It may miss processes that are forked or get another parent during the walk: walk again. Only a
/// walk that cannot have missed anybody proves that a tree is empty.
class TreeWalk {
  public:
    /// `is_spared`: children of the root to skip, with all their descendants. null: none.
    explicit TreeWalk(pid_t root, std::function<bool(pid_t)> is_spared = nullptr);

    /// Visits about `count` more processes. False at the end of the walk; the next call starts again from the root.
    bool step(std::size_t count, const VisitProcess& visit);

    /// In this walk, a process ended between being listed and being visited: its children may have become the root's
    /// after the root's were listed.
    [[nodiscard]] bool may_have_missed() const { return may_have_missed_; }

  private:
    struct Place {
        pid_t pid;
        pid_t parent;
    };
    void begin();
    void add_children(pid_t parent);

    pid_t root_;
    bool may_have_missed_ = false;
    std::function<bool(pid_t)> is_spared_;
    std::vector<Place> open_;
    std::unordered_map<pid_t, std::vector<pid_t>> all_children_;  ///< of every process, if the kernel keeps no lists
};

/// Every process below `root` now; without `root` itself.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t root);

/// A process that could not be killed, for example one of another user.
struct Survivor {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  ///< 0: unknown, the process is hidden
    std::optional<uid_t> user{};   ///< nothing: unknown, the process is hidden
    std::string name{};            ///< of its program, set by the process: untrusted; "": unknown

    bool operator==(const Survivor&) const = default;
};

/// The process with its user and name; nothing if it has ended.
[[nodiscard]] std::optional<Survivor> look_at_survivor(pid_t pid, std::uint64_t start_time);

/// "1234 (user 0, sleep), 1235 (user unknown)": the first 20, for a log line. The names are untrusted and may contain a
/// secret.
[[nodiscard]] std::string describe(const std::vector<Survivor>& survivors);

}  // namespace trebuchet
