#pragma once

#include <cstdint>

namespace trebuchet {

/// The first argument of this program's own re-execution as a supervisor.
inline constexpr const char* supervisor_flag = "--supervise-phase";

/// Agent → supervisor, one byte each. The end of the channel means KILL as well.
enum class SupervisorOrder : char { term = 'T', kill = 'K' };

/// Supervisor → agent, once: how the command ended.
struct SupervisorReport {
    enum class Kind : std::int32_t { exited, signalled, could_not_start };
    Kind kind = Kind::exited;
    std::int32_t value = 0;  ///< exit code, signal number or errno
    std::int32_t left = 0;   ///< descendants that still run
};

/// Runs a command by /bin/sh -c as the subreaper of everything that comes of it. The arguments after the flag: the
/// descriptor of the channel to the agent (one end of a SOCK_SEQPACKET pair), the grace in milliseconds, the command, a
/// title for `ps`. Returns (and the process must exit) when no descendant is left: when they have ended by themselves,
/// or were ended because the agent said so or is gone. Linux only; no threads.
int supervise_phase(int argc, char** argv);

}  // namespace trebuchet
