#include "agent/import/import_plan.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr const char* default_results = "/tmp/testflinger/results";
constexpr const char* default_token = "/var/lib/testflinger-agent/refresh_token";
constexpr const char* linked_tree = "/etc/trebuchet/agents";
constexpr const char* environment_file = "/etc/trebuchet/supervise.env";
constexpr const char* drop_in = "/etc/systemd/system/trebuchet-supervise.service.d/10-import.conf";
constexpr const char* state = "/var/lib/trebuchet-supervise";
constexpr const char* made_by =
    "# Made by `trebuchet-agent import --write`; `trebuchet-agent import --undo` removes it.\n";

std::string joined(const std::vector<std::string>& all, const char* between = ", ") {
    std::string text;
    for (const auto& one : all) text += (text.empty() ? "" : between) + one;
    return text;
}

/// Whether systemd passes it as one word without quotes.
bool is_plain(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("._-/:=").find(c) != std::string_view::npos;
    });
}

/// For systemd's Environment="…".
std::string quoted_for_unit(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        if (c == '%') quoted += '%';
        quoted += c == '\n' ? ' ' : c;
    }
    return quoted + "\"";
}

class Planner {
  public:
    explicit Planner(const CharmHost& host) : host_(host) {}

    ImportPlan plan() {
        list_agents();
        choose_user();
        choose_tree();
        write_environment_file();
        write_drop_in();
        put_supervisord_aside();
        take_results();
        tell_of_scripts();
        tell_the_rest();
        tell_what_is_next();
        return std::move(plan_);
    }

  private:
    void leave(const std::string& text) { plan_.left.push_back(text); }
    void refuse(const std::string& text) { plan_.wrong.push_back(text); }

    void list_agents() {
        std::set<std::string> ids;
        for (const auto& agent : host_.agents) {
            if (!agent.loaded) {
                refuse("program " + agent.program + ": " + agent.problem);
                continue;
            }
            const auto& id = agent.loaded->agent_id;
            plan_.agents.push_back(id + ": " + agent.config.string() + ", queues " + joined(agent.loaded->job_queues) +
                                   (agent.port ? ", port " + std::to_string(*agent.port) : ""));
            if (!ids.insert(id).second) refuse("two programs serve the agent_id " + id + ": stop one of them");
            const auto& names = host_.second_names;
            const bool has_link = std::find(names.begin(), names.end(), id) != names.end();
            if (agent.folder().filename() != id && !has_link) tell_of_name(agent, id);
        }
    }

    void tell_of_name(const CharmAgent& agent, const std::string& id) {
        const bool matters = std::any_of(host_.scripts.begin(), host_.scripts.end(),
                                         [](const PhaseScript& script) { return script.finds_folder_by_agent_id; });
        leave("the folder " + agent.folder().string() + " of the agent " + id + " has another name than the agent" +
              (matters ? ", so the tf-* scripts do not find its default.yaml: run ln -s " +
                             agent.folder().filename().string() + " " + (agent.folder().parent_path() / id).string() +
                             ", or rename the folder where the lab keeps it"
                       : ""));
    }

    void choose_user() {
        std::set<std::string> users;
        for (const auto& agent : host_.agents) users.insert(agent.user.empty() ? "root" : agent.user);
        if (users.size() > 1) {
            refuse("the programs run as several users (" + joined({users.begin(), users.end()}) +
                   "), and trebuchet-supervise.service has one: give them one user, or add instances (trebuchet-agent "
                   "instance add)");
        }
        plan_.changes.owner = users.empty() ? "" : *users.begin();
    }

    /// The lab's own tree where supervisord runs just its folders; else links to those that it runs.
    void choose_tree() {
        if (!host_.tree.empty() && host_.extra_folders.empty()) {
            tree_ = host_.tree;
            return;
        }
        tree_ = linked_tree;
        for (const auto& agent : host_.agents) {
            const auto link = fs::path(linked_tree) / agent.folder().filename();
            if (!plan_.changes.links.emplace(link, agent.folder()).second) {
                refuse("two agents have folders of the name " + link.filename().string() + ": rename one");
            }
        }
        for (const auto& folder : host_.extra_folders) {
            leave((host_.tree / folder).string() + " is served by no program of this host, and stays so");
        }
    }

    void write_environment_file() {
        std::vector<std::string> options;
        std::set<std::string> tokens;
        for (const auto& agent : host_.agents) {
            tokens.insert(agent.token_file.empty() ? default_token : agent.token_file.string());
            if (!agent.port || !agent.loaded) continue;
            const auto port = agent.loaded->agent_id + "=" + std::to_string(*agent.port);
            if (is_plain(port)) {
                options.push_back("--port " + port);
            } else {
                leave("the port " + std::to_string(*agent.port) + " of " + agent.loaded->agent_id +
                      ": write it as trebuchet.metrics_port beside its configuration");
            }
        }
        if (tokens.size() > 1)
            refuse("the programs have several token files (" + joined({tokens.begin(), tokens.end()}) +
                   "): give them one, or use trebuchet.client_id");
        if (!tokens.empty() && *tokens.begin() != default_token) options.push_back("--token-file " + *tokens.begin());
        if (!is_plain(tree_.string()))
            refuse("the path " + tree_.string() + " has characters that the unit cannot pass on: use a link");
        plan_.changes.files[environment_file] = std::string(made_by) + "TREBUCHET_TREE=" + tree_.string() +
                                                "\nTREBUCHET_OPTIONS=\"" + joined(options, " ") + "\"\n";
    }

    void write_drop_in() {
        std::string text = std::string(made_by) +
                           "# WARNING: all agents have this user, as before: a job of one device can read what belongs "
                           "to the others.\n"
                           "[Service]\nUser=" +
                           plan_.changes.owner + "\nProtectHome=read-only\nPrivateUsers=no\n";
        if (uses(&PhaseScript::uses_docker) && host_.has_docker_group) {
            text += "# WARNING: who may use docker is as good as root on this host.\nSupplementaryGroups=docker\n";
        }
        for (const auto& [name, value] : common_environment())
            text += "Environment=" + quoted_for_unit(name + "=" + value) + "\n";
        for (const auto& folder : own_folders()) text += "ReadWritePaths=-" + folder + "\n";
        plan_.changes.files[drop_in] = text;
    }

    [[nodiscard]] bool uses(bool PhaseScript::*what) const {
        return std::any_of(host_.scripts.begin(), host_.scripts.end(),
                           [&](const PhaseScript& script) { return script.*what; });
    }

    /// systemd sets USER and HOME by itself.
    [[nodiscard]] std::map<std::string, std::string> common_environment() {
        auto common = host_.agents.front().environment;
        for (const auto& agent : host_.agents) {
            for (const auto& [name, value] : agent.environment) {
                const auto known = common.find(name);
                if (known != common.end() && known->second == value) continue;
                leave("the variable " + name + " of program " + agent.program +
                      " is not that of all agents: set it in its tf-* scripts");
                common.erase(name);
            }
        }
        std::erase_if(common, [](const auto& one) { return one.first == "USER" || one.first == "HOME"; });
        return common;
    }

    /// Folders that configurations name; the unit may write nowhere else but to its state.
    [[nodiscard]] std::set<std::string> own_folders() const {
        std::set<std::string> folders;
        for (const auto& agent : host_.agents) {
            if (!agent.loaded) continue;
            for (const auto& folder :
                 {agent.loaded->execution_basedir, agent.loaded->logging_basedir, agent.loaded->results_basedir}) {
                if (!folder.string().starts_with("/tmp/")) folders.insert(folder);
            }
        }
        return folders;
    }

    /// supervisord reads *.conf only. A file that has other programs, too, is left to the administrator.
    void put_supervisord_aside() {
        for (const auto& agent : host_.agents) {
            const auto file = agent.conf_file.string();
            if (std::find(host_.shared_files.begin(), host_.shared_files.end(), file) == host_.shared_files.end()) {
                plan_.changes.renames[file] = file + ".before-trebuchet";
            }
        }
        for (const auto& file : host_.shared_files) {
            refuse(file + " has an agent and other programs: move the agent to a file of its own");
        }
        for (const auto& [program, file] : host_.other_programs) {
            leave("program " + program + " (" + file + ") is no agent: supervisord goes on running it");
        }
        leave(
            "the charm writes /etc/supervisor/conf.d again when its configuration changes, which would start the "
            "Python "
            "agents beside these: remove the charm's application from this host before that");
    }

    /// Results in a folder that the new agents have too are adopted there; others are copied into the agent's state.
    void take_results() {
        std::set<fs::path> adopted;
        for (const auto& result : host_.results) {
            if (result.agent_id.empty()) {
                leave("the result " + result.folder.string() +
                      " is of a job of no queue of these agents: deliver it by hand");
                continue;
            }
            auto target = result.folder.parent_path();
            if (target == default_results) {
                target = fs::path(state) / result.agent_id / "results";
                plan_.changes.copies[target / result.folder.filename()] = result.folder;
                leave("the result " + result.folder.string() + " stays, beside its copy for " + result.agent_id +
                      ": remove it once the copy is delivered");
            }
            adopted.insert(target);
        }
        plan_.changes.adopted.assign(adopted.begin(), adopted.end());
    }

    void tell_of_scripts() {
        std::set<std::string> broken;
        for (const auto& script : host_.scripts)
            broken.insert(script.broken_programs.begin(), script.broken_programs.end());
        for (const auto& program : broken) {
            leave("the tf-* scripts call a program that cannot run: " + program +
                  ". Install it again, or change the scripts");
        }
        if (std::any_of(host_.scripts.begin(), host_.scripts.end(),
                        [](const PhaseScript& one) { return !one.connectors.empty(); })) {
            leave(
                "the tf-* scripts go on with the Python device connectors, which they call by absolute path: let them "
                "call "
                "trebuchet-provision to use those of this package");
        }
        if (uses(&PhaseScript::uses_docker) && !host_.has_docker_group) {
            leave("tf-* scripts use docker, but this host has no group docker");
        }
        if (uses(&PhaseScript::uses_sudo)) {
            leave(
                "tf-* scripts use sudo, which the unit does not allow: copy "
                "/usr/share/trebuchet/drop-ins/sudo.conf to /etc/systemd/system/trebuchet-supervise.service.d");
        }
    }

    void tell_the_rest() {
        for (const auto& folder : host_.missing_folders) {
            leave("the folder " + folder +
                  " of a configuration is missing, and the unit cannot make it: run install -d -o " +
                  plan_.changes.owner + " " + folder);
        }
        for (const auto& sibling : host_.siblings) leave(sibling + " is not this host's, and stays so");
        const bool shares = std::any_of(host_.agents.begin(), host_.agents.end(), [](const CharmAgent& agent) {
            return agent.loaded && agent.loaded->execution_basedir.string().starts_with("/tmp/testflinger");
        });
        if (shares) {
            leave(std::string("/tmp/testflinger, which the Python agents share, stays; each agent gets run, logs and "
                              "results below ") +
                  state + "/<agent_id>. Scripts that name /tmp/testflinger do not find them");
        }
    }

    void tell_what_is_next() {
        plan_.next = {"supervisorctl update", "systemctl daemon-reload", "systemctl enable --now trebuchet-supervise",
                      "trebuchet-agent status"};
    }

    const CharmHost& host_;
    fs::path tree_;
    ImportPlan plan_;
};

std::string list(const std::string& title, const std::vector<std::string>& lines) {
    if (lines.empty()) return "";
    std::string text = title + "\n";
    for (const auto& line : lines) text += "  - " + line + "\n";
    return text + "\n";
}

std::vector<std::string> shown_changes(const HostChanges& changes) {
    std::vector<std::string> lines;
    for (const auto& [file, text] : changes.files) {
        auto indented = text;
        for (auto at = indented.find('\n'); at != std::string::npos && at + 1 < indented.size();
             at = indented.find('\n', at + 1)) {
            indented.insert(at + 1, "        ");
        }
        indented.erase(indented.find_last_not_of('\n') + 1);
        lines.push_back("the file " + file.string() + ":\n        " + indented);
    }
    for (const auto& [link, target] : changes.links)
        lines.push_back("the link " + link.string() + " to " + target.string());
    for (const auto& [from, to] : changes.renames)
        lines.push_back("rename " + from.string() + " to " + to.filename().string());
    for (const auto& [to, from] : changes.copies)
        lines.push_back("copy " + from.string() + " to " + to.parent_path().string());
    for (const auto& folder : changes.adopted)
        lines.push_back("have the results in " + folder.string() + " delivered (adopt-results)");
    return lines;
}

}  // namespace

ImportPlan plan_import(const CharmHost& host) {
    return Planner(host).plan();
}

std::string shown(const ImportPlan& plan) {
    return list("Agents that supervisord runs:", plan.agents) +
           list("Changes on this host:", shown_changes(plan.changes)) + list("Left alone:", plan.left) +
           list("To be mended first:", plan.wrong);
}

}  // namespace trebuchet
