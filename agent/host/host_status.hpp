#pragma once

#include "agent/host/agent_host.hpp"
#include "common/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// The file of `supervise` in the folder of its agents' status files, for `trebuchet-agent status`.
inline constexpr const char* host_status_file = "supervise.json";
/// The subfolder of default_status_folder that the unit of `supervise` makes.
inline constexpr const char* host_status_folder = ".supervise";

struct HostStatus {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  ///< of the process, in clock ticks since boot
    std::string problem{};         ///< with the tree as a whole
    std::vector<AgentReport> agents{};
};

[[nodiscard]] std::string host_status_json(const HostStatus& status);
/// Fails if the text is none. A field that is missing or of another type has its default.
[[nodiscard]] Result<HostStatus> parse_host_status(std::string_view text);

}  // namespace trebuchet
