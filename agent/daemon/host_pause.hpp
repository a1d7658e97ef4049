#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace trebuchet {

/// Maintenance that an administrator of this host asks for. `trebuchet-agent pause` writes it to the agent's state
/// folder, `resume` removes it; the agent removes it when it is over.
struct HostPause {
    std::string note;                                            ///< for people: why
    std::optional<std::chrono::system_clock::time_point> until;  ///< nullopt: until `resume`

    bool operator==(const HostPause&) const = default;
};

/// The file's name in the state folder.
inline constexpr const char* pause_file = "pause";

[[nodiscard]] Result<void> write_pause(const std::filesystem::path& state, const HostPause& pause);

/// nullopt if there is none. An Error if a job may have written it (see read_trusted), or if it cannot be understood.
[[nodiscard]] Result<std::optional<HostPause>> read_pause(const std::filesystem::path& state,
                                                          bool own_files_are_trusted);

}  // namespace trebuchet
