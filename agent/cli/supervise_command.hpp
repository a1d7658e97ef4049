#pragma once

#include "agent/host/agent_host.hpp"
#include "agent/host/tree_watch.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

struct SuperviseOptions {
    std::filesystem::path tree;           ///< a folder for each agent, with its testflinger-agent.conf
    std::filesystem::path token_file;     ///< for all agents; "": the daemon's default
    std::filesystem::path status_folder;  ///< "": the one that the unit makes, if it is there
    std::filesystem::path program;        ///< of the agents; "": this one
    std::vector<std::string> ports;       ///< AGENT_ID=PORT, instead of trebuchet.metrics_port
    TreeWatch::Times times{};
    std::chrono::milliseconds removal_grace = AgentHost::default_removal_grace;
    /// How often to look for another program on disk. It must look the same twice, so that it is there as a whole.
    std::chrono::milliseconds program_pause{10'000};
};

/// Runs an agent, in a process of its own, for each folder of the tree until it is told to stop:
///
///     SIGTERM, SIGINT   stop all agents; a second one: now, without cleanup
///     SIGHUP            read the tree again
///     SIGUSR1           restart all agents, each when no job of it runs
///
/// Returns the exit code: 0 stopped, 2 the tree is no folder, 3 another process supervises in this state folder, or
/// without one, this tree.
int supervise_command(const SuperviseOptions& options);

}  // namespace trebuchet
