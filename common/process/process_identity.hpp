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

/// A process for as long as it lives and no longer: numbers are used again, but not by a process that started at the
/// same tick of the same boot.
struct ProcessIdentity {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  ///< clock ticks since boot: field 22 of /proc/PID/stat
    std::string boot_id;           ///< /proc/sys/kernel/random/boot_id

    bool operator==(const ProcessIdentity&) const = default;
};

/// Nothing if there is no such process, or only its remains.
[[nodiscard]] std::optional<ProcessIdentity> identity_of(pid_t pid);

/// What a former life of this program left running of a command.
struct LeftProcesses {
    std::optional<ProcessIdentity> supervisor;
    /// Whose environment at their start held this NAME=VALUE is part of it, whoever their parent is now; "": nobody.
    std::string marker;
    std::string cgroup{};  ///< as in ProcessSpec; whoever is in it, or in one below it, is part of it; "": none
};

struct EndedProcesses {
    std::size_t count = 0;  ///< of processes that were met, the survivors included
    bool all_ended = false;
    std::vector<Survivor> survivors;  ///< of the last look
};

/// TERM to all of them, after `grace` KILL, until none is left; blocks until then, `limit` at most, or until `stop` is
/// true. Processes of this one's own are left alone. Thread-safe.
[[nodiscard]] EndedProcesses end_left_processes(const LeftProcesses& left, std::chrono::milliseconds grace,
                                                std::chrono::milliseconds limit,
                                                const std::atomic<bool>* stop = nullptr);

}  // namespace trebuchet
