#include "agent/cli/host_check.hpp"

#include "common/process/cgroup.hpp"
#include "common/process/process_tree.hpp"
#include "common/sealed_value/key_folder.hpp"

#include <optional>
#include <sstream>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

/// As /proc shows the name of our program.
constexpr const char* agent_name = "trebuchet-agent";

/// The argument of -c or --config; "" if there is none.
fs::path config_of(pid_t pid) {
    std::istringstream arguments(read_process_file(pid, "cmdline"));
    for (std::string argument; std::getline(arguments, argument, '\0');) {
        if (argument != "-c" && argument != "--config") continue;
        std::getline(arguments, argument, '\0');
        return argument;
    }
    return {};
}

/// An agent with another configuration; a relative path tells us nothing.
bool is_another_agent(pid_t pid, const fs::path& config_file) {
    const auto stat = read_process_stat(pid);
    const auto process = stat ? look_at_survivor(pid, stat->start_time) : std::nullopt;
    if (!process || process->name != agent_name || process->user != ::geteuid()) return false;
    const auto other = config_of(pid);
    return other.is_absolute() && other != fs::absolute(config_file);
}

void check_user(const fs::path& config_file, std::vector<std::string>& found) {
    if (::geteuid() == 0) {
        found.emplace_back("this user is root: jobs of an agent that runs as root can change everything on this host");
    }
    for_each_process([&](pid_t pid) {
        if (!is_another_agent(pid, config_file)) return;
        found.push_back("the agent with pid " + std::to_string(pid) +
                        " runs as the same user: the jobs of either can read files and secrets of the other; give each "
                        "agent a user of its own");
    });
}

void check_cgroups(const JobLimits& limits, std::vector<std::string>& found) {
    if (!Cgroup::is_available()) {
        found.emplace_back(
            "cannot create a cgroup here: processes of a job that change their user may outlive it; set "
            "Delegate=yes in the agent's systemd unit");
    }
    for (const auto& controller : missing_controllers({limits.memory, limits.pids})) {
        found.push_back("trebuchet.limits." + controller + " has no effect here: the cgroup controller " + controller +
                        " is missing; set Delegate=yes in the agent's systemd unit");
    }
}

}  // namespace

std::vector<std::string> key_weaknesses(const Config& config) {
    std::vector<std::string> found;
    const auto& secrets = config.trebuchet.secrets;
    if (secrets.repositories.empty()) return found;
    if (config.trebuchet.phase_user.empty()) {
        found.push_back("jobs run as the agent's user, so every job can read the private keys in " +
                        secrets.key_folder.string() +
                        ", which decrypt the values of all trebuchet.secrets.repositories: set trebuchet.phase_user");
    }
    const auto keys = KeyFolder::open(secrets.key_folder);
    const auto readable = keys ? keys->check_readable() : fail(keys.error());
    if (!readable) {
        found.push_back("values of trebuchet.secrets.repositories cannot be decrypted: " + readable.error().message());
    }
    return found;
}

std::vector<std::string> host_weaknesses(const Config& config, const fs::path& config_file,
                                         const fs::path& token_file) {
    std::vector<std::string> found;
    check_cgroups(config.trebuchet.limits, found);
    check_user(config_file, found);
    const auto& key_file = config.trebuchet.secret_key_file;
    const auto& credentials = config.trebuchet.client_id.empty() ? token_file : key_file;
    struct stat info {};
    if (::stat(credentials.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0) {
        found.push_back(credentials.string() + " is readable by every user of this host: run chmod o-r on it");
    }
    for (auto& weakness : key_weaknesses(config)) found.push_back(std::move(weakness));
    return found;
}

}  // namespace trebuchet
