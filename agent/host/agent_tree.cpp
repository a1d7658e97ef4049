#include "agent/host/agent_tree.hpp"

#include "agent/config/load_config.hpp"
#include "agent/config/stop_limit.hpp"
#include "common/file/regular_file.hpp"

#include <algorithm>
#include <functional>
#include <system_error>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr const char* config_name = "testflinger-agent.conf";
constexpr const char* own_config_name = "trebuchet.yaml";
constexpr std::size_t file_limit = std::size_t{1} << 20U;

std::size_t fingerprint_of(const fs::path& folder) {
    std::string all;
    for (const auto* name : {config_name, own_config_name}) {
        all += read_regular_file(folder / name, file_limit).value_or("") + '\0';
    }
    return std::hash<std::string>()(all);
}

/// The id names folders for state and secrets below those of the service, beside the lock there. A colon separates
/// folders in $STATE_DIRECTORY.
bool can_name_folder(const std::string& agent_id) {
    return !agent_id.starts_with('.') && agent_id.find_first_of("/:") == std::string::npos &&
           agent_id != supervise_lock;
}

void add_folder(const fs::path& folder, const AgentTree& former, AgentTree& tree) {
    const auto name = folder.filename().string();
    const auto config = folder / config_name;
    const auto fingerprint = fingerprint_of(folder);
    const auto known = std::find_if(former.agents.begin(), former.agents.end(), [&](const AgentFolder& one) {
        return one.config == config && one.fingerprint == fingerprint;
    });
    if (known != former.agents.end()) {
        tree.agents.push_back(*known);
        return;
    }
    auto loaded = load_config(config);
    if (!loaded) {
        tree.problems[name] = loaded.error().empty() ? "it cannot be read" : loaded.error().front().message();
    } else if (!can_name_folder(loaded->config.agent_id)) {
        tree.problems[name] = config.string() +
                              ": found an agent_id that begins with '.', has a ':' or is supervise.lock, expected one "
                              "that can name a folder";
    } else {
        const auto& own = loaded->config.trebuchet;
        tree.agents.push_back(
            {name, config, loaded->config.agent_id, fingerprint, own.metrics_port, own.status_dir, longest_stop(own)});
    }
}

/// A link to another folder of the tree, for scripts that look for it under this name.
bool is_second_name(const fs::path& folder, const fs::path& dir) {
    std::error_code error;
    if (!fs::is_symlink(folder, error)) return false;
    const auto target = fs::canonical(folder, error);
    return !error && target.parent_path() == fs::canonical(dir, error);
}

}  // namespace

Result<AgentTree> read_agent_tree(const fs::path& dir, const AgentTree& former) {
    std::error_code error;
    const auto absolute = fs::absolute(dir, error);
    std::vector<fs::path> folders;
    AgentTree tree;
    for (fs::directory_iterator entry(absolute, error), end; !error && entry != end; entry.increment(error)) {
        if (entry->path().filename().string().starts_with('.') || is_second_name(entry->path(), absolute)) continue;
        std::error_code unreadable;
        if (fs::is_regular_file(entry->path() / config_name, unreadable)) {
            folders.push_back(entry->path());
        } else if (unreadable == std::errc::permission_denied) {
            tree.problems[entry->path().filename().string()] =
                "this user cannot read the folder " + entry->path().string() + ": give it access";
        }
    }
    if (error) return fail("cannot read the folder " + absolute.string() + ": " + error.message());
    if (folders.size() > most_agents) {
        return fail("found " + std::to_string(folders.size()) + " agents in " + absolute.string() +
                    ", expected at most " + std::to_string(most_agents));
    }
    std::sort(folders.begin(), folders.end());
    for (const auto& folder : folders) add_folder(folder, former, tree);
    return tree;
}

bool is_being_updated(const fs::path& dir) {
    std::error_code ignored;
    for (auto folder = fs::absolute(dir, ignored);; folder = folder.parent_path()) {
        if (fs::exists(folder / ".git", ignored)) return fs::exists(folder / ".git/index.lock", ignored);
        if (!folder.has_relative_path()) return false;
    }
}

}  // namespace trebuchet
