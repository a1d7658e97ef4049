#pragma once

#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// Every process below `root` at this moment, from /proc; without `root` itself.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t root);

/// Its children only.
[[nodiscard]] std::vector<pid_t> children_of(pid_t parent);

/// Sends `signal` to every process below `root`; returns how many there were.
std::size_t signal_descendants(pid_t root, int signal);

}  // namespace trebuchet
