#pragma once

#include "agent/metrics/status_board.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// A folder and the bytes that are free there; nullopt: it cannot be used.
struct ShownDisk {
    std::string folder;
    std::optional<std::uint64_t> free{};
};

/// The status of one agent as an HTML page that needs no other file and no script. Everything in it is escaped.
[[nodiscard]] std::string status_page(const AgentStatus& status, const std::vector<PhaseRun>& phases,
                                      const std::vector<ShownDisk>& disks, AgentStatus::Time now);

}  // namespace trebuchet
