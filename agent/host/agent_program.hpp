#pragma once

#include "agent/host/agent_slot.hpp"
#include "common/event/event_loop.hpp"

#include <filesystem>

namespace trebuchet {

/// How `supervise` starts each agent: this program, as the daemon.
struct AgentProgram {
    std::filesystem::path program;        ///< on disk: after an upgrade the new one
    std::filesystem::path tree;           ///< the folder of configurations
    std::filesystem::path token_file;     ///< "": the daemon's default
    std::filesystem::path status_folder;  ///< "": the daemon's default
    std::filesystem::path
        state;  ///< the service's; each agent gets a folder of its own in it. "": the daemon's default
    std::filesystem::path runtime;  ///< the same for secrets
};

/// The path of this program on disk, also if the file was replaced since the start.
[[nodiscard]] std::filesystem::path own_program();

/// "" while there is no program.
[[nodiscard]] ProgramVersion version_on_disk(const std::filesystem::path& program);

/// Each agent gets a cgroup of its own, if this program may make one.
[[nodiscard]] StartAgent agent_starter(EventLoop& loop, AgentProgram program);

}  // namespace trebuchet
