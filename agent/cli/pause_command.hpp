#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

namespace trebuchet {

/// Which agent of this host is meant: an instance (see instance_command.hpp), or the agent with a state folder.
struct AgentPlace {
    std::string name;
    std::filesystem::path state;       ///< instead of `name`
    std::filesystem::path root = "/";  ///< in tests, another root folder
};

/// The state folder of that agent. Fails if there is none, or if not exactly one of name and folder is given.
[[nodiscard]] Result<std::filesystem::path> state_folder_of(const AgentPlace& place);

/// "90s", "30m", "2h", "1d", "1h30m"; from a second to a year.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);

struct PauseOptions {
    AgentPlace place;
    std::string note;
    std::string duration;  ///< as parse_duration takes it; "": until resume
};

/// `trebuchet-agent pause` and `resume`. The agent sees the change at once, or at its next start. Both print what
/// happens next, and return the exit code.
int pause_command(const PauseOptions& options);
int resume_command(const AgentPlace& place);

}  // namespace trebuchet
