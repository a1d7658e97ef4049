#pragma once

#include <cstdint>

namespace trebuchet {

/// The first argument of a supervisor, both of the program `trebuchet-supervisor` and of the agent when it re-executes
/// itself as one.
inline constexpr const char* supervisor_flag = "--supervise-phase";

/// Agent → supervisor, one byte each. The end of the channel also means KILL.
enum class SupervisorOrder : char { term = 'T', kill = 'K' };

/// Supervisor → agent: perhaps `without_cgroup` (the command could not be moved into its cgroup), then once how the
/// command ended, and at last `nothing_left`.
struct SupervisorReport {
    enum class Kind : std::int32_t { exited, signalled, could_not_start, no_folder, nothing_left, without_cgroup };
    Kind kind = Kind::exited;
    std::int32_t value = 0;  ///< exit code, signal number or errno
    std::int32_t left = 0;   ///< descendants that still run
};

/// Runs a command with /bin/sh -c, as the subreaper of all its descendants. The arguments after the flag:
///
///    CHANNEL  descriptor: the supervisor's end of a SOCK_SEQPACKET pair with the agent
///    COMMAND  descriptor, read to its end. It contains strings, each ended by a NUL: the ids of the user, the group
///             and the supplementary groups to run as ("": the current user), the command, and its whole environment
///             as NAME=VALUE. None of this appears in the supervisor's own arguments or environment.
///    CGROUP   descriptor of the folder of the command's cgroup, or -1
///    GRACE    milliseconds from TERM to KILL
///    TITLE    for `ps`
///
/// Exits when no descendant is left: they ended by themselves, or were killed because the agent ordered it or is gone.
/// It uses _exit, because the leak check of a sanitizer at a normal exit stops the process and hangs if the agent sends
/// CONT at that moment. Linux only; single-threaded.
[[noreturn]] void supervise_phase(int argc, char** argv);

}  // namespace trebuchet
