#pragma once

#include "agent/metrics/agent_status.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Whether an agent works, as seen from outside.
enum class Health {
    running,
    hangs,    ///< the process is there, but gives no sign of life
    dead,     ///< the process is gone and did not say that it stops
    stopped,  ///< as asked
    unknown,  ///< there is no status: it was not started, or shows none
};
[[nodiscard]] std::string_view name_of(Health health);

/// What `trebuchet-agent status` knows of one agent.
struct AgentRow {
    std::string name;
    Health health = Health::unknown;
    AgentStatus status{};   ///< empty if unknown
    std::string problem{};  ///< why the status cannot be read; "": it can, or there is none
};

/// The longest time between two signs of life of an agent that works.
inline constexpr std::chrono::seconds longest_silence{60};

/// `silence`: time since the last sign of life. `process_is_there`: the status' process, not a later one with its pid.
[[nodiscard]] Health health_of(const AgentStatus& status, std::chrono::seconds silence, bool process_is_there);

/// A line for each agent, and below it its comment and its last error.
[[nodiscard]] std::string status_table(const std::vector<AgentRow>& rows, AgentStatus::Time now);

/// A JSON array: what the status files have, and `health`.
[[nodiscard]] std::string status_rows_json(const std::vector<AgentRow>& rows);

}  // namespace trebuchet
