#pragma once

#include "common/process/process_tree.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_set>
#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// Kills every process below a root, however fast they fork, a few processes per step. The caller must be the subreaper
/// of the tree or the parent of the root, so that no process can leave the tree.
///
///  1. Freeze: walk the tree and send SIGSTOP to each process before reading its children. The next walk finds the
///     processes that were forked behind the walk; a stopped process cannot fork.
///  2. Repeat 1 until a walk meets no new process, but at most 20 times: a fork bomb must not keep us here for ever. A
///     process that another process continued does not count as new.
///  3. Kill: walk the tree and send SIGKILL to each process. SIGKILL also ends stopped processes.
///  4. Repeat 3 until a walk meets nothing alive and cannot have missed anything: nobody ended between being listed and
///     being visited, because the children of such a process have become the root's. After 20 walks, start again
///     with 1.
///
/// Example: process 10 forks a child every 2 ms and then exits; each child does the same. Walk 1 meets 10 and stops it
/// (SIGSTOP takes effect before 10 returns to user code). If 10 has already forked 11 and exited, walk 2, some 50 µs
/// later, meets 11 as a child of the root, which adopted it, and stops it. Walk 3 meets no new process. Walk 4 kills
/// 11. Walk 5 meets nothing alive: empty.
class TreeKill {
  public:
    explicit TreeKill(pid_t root, std::function<bool(pid_t)> is_spared = nullptr);

    enum class Progress {
        working,  ///< call again soon
        waiting,  ///< all were signalled and have not ended yet (some may never end): call again after a pause
        empty     ///< a whole walk met nothing alive
    };

    /// Visits about `count` more processes.
    Progress step(std::size_t count);

    /// The processes that the last whole walk met alive and that are still alive.
    [[nodiscard]] std::vector<Survivor> survivors() const;

  private:
    struct Met {
        pid_t pid;
        std::uint64_t start_time;
    };
    void visit(const HeldProcess& process);
    Progress end_walk();

    TreeWalk walk_;
    bool freezes_ = true;
    int walks_ = 0;
    std::unordered_set<std::uint64_t> met_before_;
    std::unordered_set<std::uint64_t> dead_before_;
    std::size_t new_ones_ = 0;
    std::size_t newly_dead_ = 0;
    std::vector<Met> alive_;
    std::vector<Met> left_;
};

}  // namespace trebuchet
