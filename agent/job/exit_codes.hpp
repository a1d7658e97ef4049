#pragma once

#include <csignal>

namespace trebuchet {

/// Exit codes of phases with a special meaning, the same as in the reference agent.

/// The command could not recover the device: somebody must repair it. Connectors exit with this code.
inline constexpr int recovery_failed_code = 46;

/// The command could not be started, or the job could not run at all.
inline constexpr int could_not_start_code = 100;

/// The agent ended the command, or was interrupted while it ran. The value is 256 - SIGKILL, as the reference agent
/// reports. The command's own code does not count: it may catch SIGTERM and exit with 0, which must not look like a
/// success.
inline constexpr int ended_by_agent_code = 256 - SIGKILL;

}  // namespace trebuchet
