#pragma once

#include "agent/cli/status_table.hpp"
#include "common/base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

struct StatusOptions {
    std::string name;  ///< "": all agents
    std::filesystem::path folder = default_status_folder;
    std::filesystem::path root = "/";  ///< in tests, another root folder, for the instances
    bool watch = false;                ///< prints again every 2 s, until it is interrupted
    bool json = false;
};

/// The agents whose status is in the folder, and the instances that show none, by name. Reads only files, so it also
/// works while an agent hangs.
[[nodiscard]] Result<std::vector<AgentRow>> agents_of_host(const StatusOptions& options);

/// Prints them. Returns 0 if all run, 1 if one does not, or 2.
int status_command(const StatusOptions& options);

}  // namespace trebuchet
