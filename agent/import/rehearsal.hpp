#pragma once

#include "agent/import/charm_host.hpp"
#include "common/base/result.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace trebuchet {

/// How a canned job went through one agent's own tf-* scripts.
struct RehearsedAgent {
    std::string agent_id;
    std::map<std::string, int> phases;  ///< phase → exit code
    std::vector<std::string> calls;     ///< of the doubles, in their order, with their arguments
    std::vector<std::string> differs;   ///< what would not work on the real host
    std::vector<std::string> log;       ///< of the job, its last lines, if something differs
};

/// Runs `trebuchet-agent run` with each agent's configuration, as its user, in namespaces of its own: without network
/// and without devices in /dev, and docker and testflinger-device-connector are doubles that start nothing. They note
/// their arguments, and what of it is missing or cannot be read. The agents' phases run on this host otherwise as they
/// are. Needs root. Each agent has `longest_rehearsal`. `root`: "/", or where the host's file system is: its /srv,
/// /home and /usr/local/bin are put in the place of this system's.
[[nodiscard]] Result<std::vector<RehearsedAgent>> rehearse(const CharmHost& host, const std::filesystem::path& root);

inline constexpr int longest_rehearsal = 120;  ///< seconds

/// For people.
[[nodiscard]] std::string shown(const std::vector<RehearsedAgent>& agents);

}  // namespace trebuchet
