#include "agent/import/import_plan.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr const char* default_token = "/var/lib/testflinger-agent/refresh_token";
constexpr const char* linked_tree = "/etc/trebuchet/agents";
constexpr const char* environment_file = "/etc/trebuchet/supervise.env";
constexpr const char* variables_file = "/etc/trebuchet/import.env";
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

/// For systemd's EnvironmentFile=.
std::string quoted_for_file(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (std::string_view("\"\\$`").find(c) != std::string_view::npos) quoted += '\\';
        quoted += c;
    }
    return quoted + "\"";
}

bool is_variable(const std::string& name) {
    return !name.empty() && (name[0] < '0' || name[0] > '9') && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

/// The unit's PrivateTmp=yes gives it others of these.
bool is_temporary(const fs::path& folder) {
    const auto text = folder.lexically_normal().string() + "/";
    return text.starts_with("/tmp/") || text.starts_with("/var/tmp/");
}

class Planner {
  public:
    explicit Planner(const CharmHost& host) : host_(host) {}

    ImportPlan plan() {
        list_agents();
        choose_user();
        choose_tree();
        write_environment_file();
        check_folders();
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
            if (const auto instance = host_.instances.find(id); instance != host_.instances.end()) {
                refuse("the agent_id " + id + " is also that of the instance trebuchet-agent@" + instance->second +
                       ", and would run twice: run trebuchet-agent instance remove " + instance->second);
            }
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
        if (!tokens.empty() && !is_plain(*tokens.begin()))
            refuse("the path " + *tokens.begin() + " has characters that the unit cannot pass on: use a link");
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
        if (tree_ == linked_tree)
            text += "# May read " + std::string(linked_tree) + ".\nSupplementaryGroups=trebuchet-supervise\n";
        std::string variables;
        for (const auto& [name, value] : common_environment()) variables += name + "=" + quoted_for_file(value) + "\n";
        if (!variables.empty()) {
            text += std::string("EnvironmentFile=") + variables_file + "\n";
            plan_.changes.private_files[variables_file] = made_by + variables;
        }
        for (const auto& folder : own_folders()) text += "ReadWritePaths=-" + folder.string() + "\n";
        plan_.changes.files[drop_in] = text;
    }

    [[nodiscard]] bool uses(bool PhaseScript::*what) const {
        return std::any_of(host_.scripts.begin(), host_.scripts.end(),
                           [&](const PhaseScript& script) { return script.*what; });
    }

    /// systemd sets USER and HOME by itself.
    [[nodiscard]] std::map<std::string, std::string> common_environment() {
        std::map<std::string, std::string> common;
        for (const auto& agent : host_.agents) {
            for (const auto& [name, value] : agent.environment) {
                if (name == "USER" || name == "HOME") continue;
                if (agent.unexpanded.contains(name) || !is_variable(name)) {
                    refuse("the variable " + name + " of program " + agent.program +
                           " has an expansion of supervisord, %(…)s, or a name that systemd does not take: write what "
                           "it stands for");
                } else if (all_have(name, value)) {
                    common[name] = value;
                } else {
                    leave("the variable " + name + " of program " + agent.program +
                          " is not that of all agents: set it in its tf-* scripts");
                }
            }
        }
        return common;
    }

    [[nodiscard]] bool all_have(const std::string& name, const std::string& value) const {
        return std::all_of(host_.agents.begin(), host_.agents.end(), [&](const CharmAgent& agent) {
            const auto found = agent.environment.find(name);
            return found != agent.environment.end() && found->second == value;
        });
    }

    /// The lab's tree must not write lines of a unit that root reads.
    void check_folders() {
        if (!is_plain(plan_.changes.owner))
            refuse("the user " + plan_.changes.owner + " has characters that the unit cannot pass on");
        for (const auto& folder : own_folders()) {
            if (is_temporary(folder)) {
                refuse("a configuration names " + folder.string() +
                       ", and the service has a /tmp of its own: remove execution_basedir, logging_basedir and "
                       "results_basedir there (each agent has these folders below " +
                       state + "), or name folders that are not in /tmp");
            } else if (!folder.is_absolute() || folder != folder.lexically_normal() || !is_plain(folder.string())) {
                refuse("a configuration names the folder " + trebuchet::quoted(folder.string()) +
                       ", expected an absolute path of letters, digits and . _ - / only");
            }
        }
    }

    /// Folders that configurations name; the unit may write nowhere else but to its state.
    [[nodiscard]] std::set<fs::path> own_folders() const {
        std::set<fs::path> folders;
        for (const auto& agent : host_.agents) folders.insert(agent.own_folders.begin(), agent.own_folders.end());
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
        for (const auto& [program, file] : host_.not_started) {
            leave("program " + program + " (" + file + ") has autostart=false: its agent is not served, as before");
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
            if (!own_folders().contains(target)) {
                target = fs::path(state) / result.agent_id / "results";
                plan_.changes.copies[target / result.folder.filename()] = result.folder;
                leave("the result " + result.folder.string() + " stays, beside its copy for " + result.agent_id +
                      ": remove it once the copy is delivered");
            }
            if (result.has_list && !plan_.changes.copies.contains(target / result.folder.filename())) {
                leave("the result " + result.folder.string() +
                      " is beside a list of adopted results: add it by trebuchet-agent adopt-results");
                continue;
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
            return agent.loaded && !agent.own_folders.contains(agent.loaded->execution_basedir);
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

/// The names of the variables only: their values may be secrets.
std::string shown_names(const std::string& variables) {
    std::string names;
    std::istringstream lines(variables);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with('#')) names += (names.empty() ? "" : ", ") + line.substr(0, line.find('='));
    }
    return names;
}

std::vector<std::string> shown_changes(const HostChanges& changes) {
    std::vector<std::string> lines;
    for (const auto& [file, text] : changes.private_files)
        lines.push_back("the file " + file.string() + ", mode 0600, with the variables " + shown_names(text));
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
