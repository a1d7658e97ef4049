#pragma once

namespace trebuchet {

/// Exit codes of trebuchet-provision.
inline constexpr int exit_success = 0;
inline constexpr int exit_failure = 1;
inline constexpr int exit_usage_error = 2;
/// The device cannot be brought back to a known state: the agent takes it offline. A value of the reference's protocol
/// between agent and connector.
inline constexpr int exit_recovery_failed = 46;

/// Exit codes that stand for the end of another program, as a shell or coreutils' `timeout` reports them.
inline constexpr int exit_timed_out = 124;
inline constexpr int exit_not_runnable = 126;
inline constexpr int exit_not_found = 127;
/// ssh itself failed, not the remote command.
inline constexpr int exit_ssh_failed = 255;
[[nodiscard]] constexpr int exit_by_signal(int signal) {
    return 128 + signal;
}

}  // namespace trebuchet
