#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// What a script of the host's phases needs, as far as its text tells.
struct PhaseScript {
    std::filesystem::path path;  ///< on the host
    /// Programs that it names by absolute path and that cannot run, each with the reason.
    std::vector<std::string> broken_programs;
    std::vector<std::filesystem::path> connectors{};  ///< testflinger-device-connector, by absolute path
    bool uses_docker = false;
    bool uses_sudo = false;
    bool finds_folder_by_agent_id = false;  ///< a path with $agent_id in it
};

/// Looks at the text of a script. `root`: where the host's file system is.
[[nodiscard]] PhaseScript look_at_script(const std::filesystem::path& path, std::string_view text,
                                         const std::filesystem::path& root);

/// A path of the host below `root`.
[[nodiscard]] std::filesystem::path below_root(const std::filesystem::path& root, const std::filesystem::path& path);

}  // namespace trebuchet
