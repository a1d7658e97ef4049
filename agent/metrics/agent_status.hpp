#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// What an agent is doing, for people on its host. All texts are masked.
struct AgentStatus {
    using Time = std::chrono::system_clock::time_point;

    std::string agent_id;
    std::string version;
    std::string server;
    std::vector<std::string> queues;
    pid_t pid = 0;
    std::uint64_t start_time = 0;  ///< of the process, in clock ticks since boot: tells it from a later one

    std::string state;  ///< as at the server, such as "waiting", "test" or "maintenance"; or "starting", "stopped"
    std::string comment{};
    std::optional<Time> state_since{};
    std::string job{};    ///< the running job; "": none
    std::string phase{};  ///< its phase; "": none
    std::optional<Time> phase_since{};
    std::optional<Time> last_output{};  ///< of the running job
    std::uint64_t undelivered_bytes = 0;
    std::optional<Time> undelivered_since{};
    std::string last_error{};  ///< the last warning or error of the agent's log
    std::optional<Time> last_error_at{};

    bool operator==(const AgentStatus&) const = default;
};

/// The status file of an agent: FOLDER/AGENT-ID/status.json. Its modification time is the agent's last sign of life.
[[nodiscard]] std::filesystem::path status_file(const std::filesystem::path& folder, const std::string& agent_id);

/// The state of an agent that ended as it was asked to.
inline constexpr std::string_view stopped_state = "stopped";

/// The folder where packaged agents have their status files.
inline constexpr const char* default_status_folder = "/run/trebuchet-status";
/// How often a running agent gives a sign of life.
inline constexpr std::chrono::seconds sign_of_life_pause{15};

/// A time as people read it: "45 s", "12 min", "3 h", "5 d".
[[nodiscard]] std::string shown_duration(std::chrono::seconds time);

/// JSON: times in seconds since 1970.
[[nodiscard]] std::string status_json(const AgentStatus& status);
/// Fails if the text is no status. A field that is missing or of another type has its default.
[[nodiscard]] Result<AgentStatus> parse_status(std::string_view text);

}  // namespace trebuchet
