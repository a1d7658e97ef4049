#pragma once

#include <filesystem>

namespace trebuchet {

struct DaemonOptions {
    std::filesystem::path config = "testflinger-agent.conf";
    std::filesystem::path token_file = "/var/lib/testflinger-agent/refresh_token";
};

/// Runs the daemon until it is told to stop. Returns the exit code: 0 stopped, 1 restart wanted, 2 the configuration is
/// wrong.
int daemon_command(const DaemonOptions& options);

}  // namespace trebuchet
