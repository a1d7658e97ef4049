#pragma once

#include <cstdint>

namespace trebuchet {

/// The first argument of a supervisor: the program `trebuchet-supervisor`, or the agent's own re-execution.
inline constexpr const char* supervisor_flag = "--supervise-phase";

/// Agent → supervisor, one byte each. The end of the channel means KILL as well.
enum class SupervisorOrder : char { term = 'T', kill = 'K' };

/// Supervisor → agent: once how the command ended, before that perhaps that its cgroup would not have it, and at last
/// that nothing is left of it.
struct SupervisorReport {
    enum class Kind : std::int32_t { exited, signalled, could_not_start, no_folder, nothing_left, without_cgroup };
    Kind kind = Kind::exited;
    std::int32_t value = 0;  ///< exit code, signal number or errno
    std::int32_t left = 0;   ///< descendants that still run
};

/// Runs a command by /bin/sh -c as the subreaper of everything that comes of it. The arguments after the flag:
///
///     CHANNEL  descriptor: the agent's channel, one end of a SOCK_SEQPACKET pair
///     COMMAND  descriptor, read to its end, strings that are each ended by a NUL: the numbers of the user, the group
///              and the supplementary groups whom the command runs as ("": who runs this), the command, and its whole
///              environment, NAME=VALUE. Of none of it anything is in this process's own arguments or environment.
///     CGROUP   descriptor of the folder of the command's cgroup, or -1
///     GRACE    milliseconds from TERM to KILL
///     TITLE    for `ps`
///
/// Ends the process when no descendant is left: when they have ended by themselves, or were ended because the agent
/// said so or is gone. By _exit: a sanitizer that looks for leaks at an ordinary exit stops the process for it, and
/// waits for ever if the agent continues it in that moment. Linux only; no threads.
[[noreturn]] void supervise_phase(int argc, char** argv);

}  // namespace trebuchet
