#pragma once

#include "common/process/process_tree.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// Identifies one process for ever: pids are reused, but not together with the same start tick and the same boot.
struct ProcessIdentity {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  ///< clock ticks since boot: field 22 of /proc/PID/stat
    std::string boot_id;           ///< /proc/sys/kernel/random/boot_id

    bool operator==(const ProcessIdentity&) const = default;
};

/// Nothing if there is no such process, or only a zombie.
[[nodiscard]] std::optional<ProcessIdentity> identity_of(pid_t pid);

/// Describes what a previous run of this program may have left running of a command.
struct LeftProcesses {
    std::optional<ProcessIdentity> supervisor;
    /// NAME=VALUE: processes that were started with it in their environment belong to the command, whatever their
    /// parent is now; "": none.
    std::string marker;
    std::string cgroup{};  ///< as in ProcessSpec; processes in it or below it belong to the command; "": none
};

struct EndedProcesses {
    std::size_t count = 0;  ///< processes found, including the survivors
    bool all_ended = false;
    std::vector<Survivor> survivors;  ///< from the last look
};

/// Sends them TERM, then KILL after `grace`, until none is left. Blocks until then, but at most `limit`, or until
/// `stop` is true. Leaves this program's own processes alone. Thread-safe.
[[nodiscard]] EndedProcesses end_left_processes(const LeftProcesses& left, std::chrono::milliseconds grace,
                                                std::chrono::milliseconds limit,
                                                const std::atomic<bool>* stop = nullptr);

}  // namespace trebuchet
