#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace trebuchet {

struct DaemonOptions {
    std::filesystem::path config = "testflinger-agent.conf";
    std::filesystem::path token_file = "/var/lib/testflinger-agent/refresh_token";
    std::optional<std::uint16_t> metrics_port;  ///< 0: any free port, which the log names; none: trebuchet.metrics_port
    std::filesystem::path status_folder;        ///< instead of trebuchet.status_dir; "": that one
};

/// Runs the daemon until it is told to stop:
///
///     SIGTERM, SIGINT   stop; a second one: stop now, without cleanup
///     SIGHUP            read the configuration again, and use it when no job is running; ignore an invalid one
///     SIGUSR1           exit when no job is running, to be restarted by the service manager
///
/// Returns the exit code: 0 stopped, 1 restart wanted, 2 the configuration or one of its folders cannot be used, 3
/// another process serves this device.
int daemon_command(const DaemonOptions& options);

}  // namespace trebuchet
