#pragma once

#include <filesystem>
#include <optional>

namespace trebuchet {

struct RunOptions {
    std::filesystem::path job;                     ///< YAML or JSON, as for submitting it
    std::optional<std::filesystem::path> secrets;  ///< a JSON object from the job's secret path to its value
    std::filesystem::path output;  ///< for logs, device info, artifacts and the outcome; created if missing
    std::optional<std::filesystem::path>
        config;  ///< testflinger-agent.conf; default: trebuchet-provision's fake_connector
};

/// Runs one job without a server. Returns the exit code of the first phase that failed, 0 if none failed, 2 for a wrong
/// command line or job file.
int run_command(const RunOptions& options);

}  // namespace trebuchet
