#pragma once

#include <csignal>

namespace trebuchet {

/// The exit codes of phases that have a meaning of their own, as the reference agent counts them.

/// The command says: the device could not be recovered, somebody has to repair it. The connector's exit code too.
inline constexpr int recovery_failed_code = 46;

/// The command could not be started, or the job could not run at all.
inline constexpr int could_not_start_code = 100;

/// The agent ended the command, or was interrupted while it ran: 256 - SIGKILL, which is what the reference agent
/// sends. Our commands may catch the TERM and exit with 0; that must not look like a success.
inline constexpr int ended_by_agent_code = 256 - SIGKILL;

}  // namespace trebuchet
