#pragma once

#include "common/process/process_tree.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_set>
#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// Ends every process below a root, however fast they fork, a few processes at a time. Whoever calls it is the
/// subreaper of the tree or its root's parent, so that no process of it gets out.
///
///  1. Freeze: walk the tree and send SIGSTOP to each process before its children are read. What was born behind the
///     walk's back is new to the next one; a process that was stopped forks no more.
///  2. Walk again until a walk has met nobody new, 20 times at most: a bomb must not outrun us for ever, and a process
///     that another continues counts as met.
///  3. Kill: walk and send SIGKILL to each process; a stopped one dies of it, too.
///  4. Walk again until nothing alive is met. If it takes more than 20 walks, begin again with 1.
///
/// Example: a shell (10) forks every 2 ms a child that takes its place and ends itself. Walk 1 meets 10 and stops it
/// (SIGSTOP takes effect before 10 returns to its program), unless 11 was born already and 10 is gone: then walk 2,
/// some 50 µs later, meets 11 as a child of the root, which adopted it, and stops that. Walk 3 meets nobody new; walk 4
/// kills 11; walk 5 meets nobody alive: empty.
class TreeKill {
  public:
    explicit TreeKill(pid_t root, std::function<bool(pid_t)> is_spared = nullptr);

    enum class Progress {
        working,  ///< call again soon
        waiting,  ///< all were told; the kernel, or nobody, ends them: call again after a while
        empty     ///< nothing alive was met in a whole walk
    };

    /// About `count` processes more.
    Progress step(std::size_t count);

    /// Alive in the last whole walk, and still.
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
    std::size_t new_ones_ = 0;
    std::vector<Met> alive_;
    std::vector<Met> left_;
};

}  // namespace trebuchet
