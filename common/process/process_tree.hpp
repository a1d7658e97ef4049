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

/// What /proc/PID/stat says of a process (proc(5)).
struct ProcessStat {
    pid_t parent = 0;
    std::uint64_t start_time = 0;  ///< clock ticks since boot
    /// Some thread of it runs or can run. A first thread that has ended, which /proc shows as a zombie, is not all of
    /// a process.
    bool is_alive = false;
    /// It lives, but /proc does not show it to us (hidepid=, ProtectProc=): nothing else is known of it.
    bool is_hidden = false;
};

/// Nothing if there is no such process, or if it is hidden.
[[nodiscard]] std::optional<ProcessStat> read_process_stat(pid_t pid);

/// The first bytes of /proc/PID/`file`, 1,023 at most; "" if it can't be read.
[[nodiscard]] std::string read_process_file(pid_t pid, const char* file);

/// Calls `take` with each process that /proc shows.
void for_each_process(const std::function<void(pid_t)>& take);

/// A process that was looked at while a pidfd was held: a signal reaches this one or none, also when its number is used
/// again. Valid during the visit only.
class HeldProcess {
  public:
    HeldProcess(pid_t pid, const ProcessStat& stat, int handle) : pid_(pid), stat_(stat), handle_(handle) {}

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::uint64_t start_time() const { return stat_.start_time; }
    [[nodiscard]] bool is_alive() const { return stat_.is_alive; }
    /// False if we may not, as with a process of another user.
    bool signal(int number) const;

  private:
    pid_t pid_;
    ProcessStat stat_;
    int handle_;
};

using VisitProcess = std::function<void(const HeldProcess&)>;

/// Holds `pid` and visits it if `is_meant` agrees once it is held. False if it is gone or was not meant.
bool visit_process(pid_t pid, const std::function<bool(const ProcessStat&)>& is_meant, const VisitProcess& visit);

/// Visits its children only.
void visit_children(pid_t parent, const VisitProcess& visit);

/// Visits every process below a root, each before its children, a few at a time so that the caller is not kept for
/// long. A process that is born, or moves to another parent, meanwhile may be missed: walk again.
class TreeWalk {
  public:
    /// `is_spared`: children of the root that are left out with all below them; null: none.
    explicit TreeWalk(pid_t root, std::function<bool(pid_t)> is_spared = nullptr);

    /// Visits about `count` more; false once there are no more. After that it starts again from the root.
    bool step(std::size_t count, const VisitProcess& visit);

  private:
    struct Place {
        pid_t pid;
        pid_t parent;
    };
    void add_children(pid_t parent);

    pid_t root_;
    std::function<bool(pid_t)> is_spared_;
    std::vector<Place> open_;
    std::unordered_map<pid_t, std::vector<pid_t>> all_children_;  ///< of every process, where the kernel keeps no list
};

/// Every process below `root` at this moment; without `root` itself.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t root);

/// A process that could not be ended, such as one of another user.
struct Survivor {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  ///< 0: not known, it is hidden
    std::optional<uid_t> user{};   ///< nothing: not known, it is hidden
    std::string name{};            ///< of its program, as the process chose it: untrusted; "": not known

    bool operator==(const Survivor&) const = default;
};

/// With its user and name, if it lives still.
[[nodiscard]] std::optional<Survivor> look_at_survivor(pid_t pid, std::uint64_t start_time);

/// "1234 (user 0, sleep), 1235 (user unknown)": the first 20, for a log line. The names are untrusted, and may be a
/// secret.
[[nodiscard]] std::string describe(const std::vector<Survivor>& survivors);

}  // namespace trebuchet
