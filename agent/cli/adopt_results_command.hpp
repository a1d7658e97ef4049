#pragma once

#include <filesystem>

namespace trebuchet {

struct AdoptResultsOptions {
    std::filesystem::path results;  ///< results_basedir of the Python agent
};

/// Lists the results in this folder for the agent to deliver. Returns the exit code.
int adopt_results_command(const AdoptResultsOptions& options);

}  // namespace trebuchet
