#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// A folder of the tree with a configuration that an agent can run with.
struct AgentFolder {
    std::string folder;                  ///< its name in the tree
    std::filesystem::path config;        ///< of its testflinger-agent.conf, absolute
    std::string agent_id;                ///< can name a folder
    std::size_t fingerprint = 0;         ///< of the files that the agent reads at its start
    std::uint16_t metrics_port = 0;      ///< 0: none
    std::filesystem::path status_dir{};  ///< trebuchet.status_dir
    /// How long it may take to stop; nothing: as long as its job runs.
    std::optional<std::chrono::milliseconds> longest_stop{};

    bool operator==(const AgentFolder&) const = default;
};

/// The lab's folder of configurations: DIR/NAME/testflinger-agent.conf for each agent.
struct AgentTree {
    std::vector<AgentFolder> agents;              ///< by name of the folder
    std::map<std::string, std::string> problems;  ///< folder → what is wrong with its configuration

    [[nodiscard]] bool empty() const { return agents.empty() && problems.empty(); }
};

/// The file in the service's state folder that one `supervise` holds.
inline constexpr const char* supervise_lock = "supervise.lock";

/// The most folders of agents that are read.
inline constexpr std::size_t most_agents = 1000;

/// Reads the tree. Folders whose name begins with '.', and those without a testflinger-agent.conf, are no agents;
/// a link to another folder of the tree is no second one. Fails
/// if `dir` cannot be read. `former`: what was read before, for folders whose files are the same.
[[nodiscard]] Result<AgentTree> read_agent_tree(const std::filesystem::path& dir, const AgentTree& former = {});

/// Whether git changes the checkout that `dir` is in just now.
[[nodiscard]] bool is_being_updated(const std::filesystem::path& dir);

}  // namespace trebuchet
