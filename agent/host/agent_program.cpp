#include "agent/host/agent_program.hpp"

#include "common/log/log.hpp"
#include "common/process/cgroup.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

/// The same for the same tree and agent, so that a new agent finds the groups of its former jobs, and no other.
std::string cgroup_name(const fs::path& tree, const std::string& agent_id) {
    auto name = agent_id.substr(0, 60);
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '.' || c == '/' || static_cast<unsigned char>(c) < 0x21; },
        '-');
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016zx", std::hash<std::string>()(tree.string() + '\0' + agent_id));
    return "supervised-" + std::string(digits) + "-" + name;
}

std::optional<Cgroup> cgroup_for(const AgentProgram& program, const AgentFolder& folder) {
    if (!Cgroup::is_available()) return std::nullopt;
    auto made = Cgroup::make_for_instance(cgroup_name(program.tree, folder.agent_id));
    if (made) return std::move(*made);
    log_warning("agent " + folder.agent_id + " gets no cgroup of its own: " + made.error().message());
    return std::nullopt;
}

/// What the agent left in it keeps it: the next start ends that.
void remove_cgroup(const fs::path& path) {
    if (path.empty()) return;
    ::rmdir(path.c_str());
    ::rmdir(path.parent_path().c_str());
}

/// What the service manager gave to this program is not the agents'.
Environment environment_for(const AgentProgram& program, const AgentFolder& folder) {
    auto environment = Environment::inherited();
    environment.unset("NOTIFY_SOCKET");
    environment.unset_prefix("WATCHDOG_");
    environment.unset_prefix("LISTEN_");
    if (!program.state.empty()) environment.set("STATE_DIRECTORY", (program.state / folder.agent_id).string());
    if (!program.runtime.empty()) environment.set("RUNTIME_DIRECTORY", (program.runtime / folder.agent_id).string());
    return environment;
}

std::vector<std::string> arguments_for(const AgentProgram& program, const AgentFolder& folder) {
    std::vector<std::string> arguments{"-c", folder.config.string()};
    if (!program.token_file.empty()) arguments.insert(arguments.end(), {"--token-file", program.token_file.string()});
    if (folder.metrics_port != 0) arguments.insert(arguments.end(), {"-p", std::to_string(folder.metrics_port)});
    if (!program.status_folder.empty() && folder.status_dir.empty()) {
        arguments.insert(arguments.end(), {"--status-dir", program.status_folder.string()});
    }
    return arguments;
}

}  // namespace

fs::path own_program() {
    static constexpr std::string_view mark = " (deleted)";
    std::error_code error;
    auto path = fs::read_symlink("/proc/self/exe", error).string();
    if (path.ends_with(mark)) path.resize(path.size() - mark.size());
    return path;
}

ProgramVersion version_on_disk(const fs::path& program) {
    struct stat info {};
    if (::stat(program.c_str(), &info) != 0) return "";
    return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) + ":" + std::to_string(info.st_size) + ":" +
           std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec);
}

StartAgent agent_starter(EventLoop& loop, AgentProgram program) {
    return [&loop, program = std::move(program)](const AgentFolder& folder, std::function<void(ChildEnd)> ended) {
        const auto cgroup = cgroup_for(program, folder);
        const auto path = cgroup ? cgroup->path() : fs::path();
        return DirectChild::start(loop,
                                  {program.program, arguments_for(program, folder), environment_for(program, folder),
                                   cgroup ? cgroup->folder() : -1},
                                  [path, ended = std::move(ended)](ChildEnd end) {
                                      remove_cgroup(path);
                                      ended(end);
                                  });
    };
}

}  // namespace trebuchet
