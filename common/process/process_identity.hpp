#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

/// TERM to all of them, after `grace` KILL, until none is left; blocks until then, `limit` at most. Processes of this
/// one's own are left alone. Returns how many there were; nothing if some are still there.
[[nodiscard]] std::optional<std::size_t> end_left_processes(const LeftProcesses& left, std::chrono::milliseconds grace,
                                                            std::chrono::milliseconds limit);

}  // namespace trebuchet
