#include "agent/import/charm_host.hpp"

#include "agent/config/load_config.hpp"
#include "agent/delivery/adopted_results.hpp"
#include "agent/import/supervisord_conf.hpp"
#include "common/file/safe_file.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <sstream>
#include <system_error>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_limit = std::size_t{1} << 20U;
constexpr std::size_t job_limit = std::size_t{16} << 20U;
constexpr const char* conf_folder = "/etc/supervisor/conf.d";
constexpr const char* instance_folder = "/etc/trebuchet";
constexpr const char* script_folder = "/usr/local/bin";
constexpr const char* config_name = "testflinger-agent.conf";

std::vector<fs::path> sorted_entries(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> paths;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        paths.push_back(entry->path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

/// The value of the option that comes in one of two spellings: "-c X", "-cX", "--config X" or "--config=X".
std::string option(const std::vector<std::string>& words, std::string_view brief,
                   const std::vector<std::string>& full) {
    for (std::size_t i = 1; i < words.size(); ++i) {
        const auto& word = words[i];
        const bool is_full = std::find(full.begin(), full.end(), word) != full.end();
        if (word == brief || is_full) return i + 1 < words.size() ? words[i + 1] : "";
        for (const auto& name : full) {
            if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
        }
        if (!brief.empty() && word.starts_with(brief) && !word.starts_with("--")) return word.substr(brief.size());
    }
    return "";
}

bool is_agent(const std::vector<std::string>& words) {
    return std::any_of(words.begin(), words.end(), [](const std::string& word) {
        return fs::path(word).filename() == "testflinger-agent" || word == "testflinger_agent.cmd";
    });
}

void note_own_folders(CharmAgent& agent, const LoadedConfig& loaded) {
    const std::map<std::string_view, fs::path> folders{{"execution_basedir", loaded.config.execution_basedir},
                                                       {"logging_basedir", loaded.config.logging_basedir},
                                                       {"results_basedir", loaded.config.results_basedir}};
    for (const auto& setting : loaded.settings.all()) {
        const auto folder = folders.find(setting.key);
        // This command's $STATE_DIRECTORY is not the agents'.
        const bool is_chosen = setting.source != "default" && !setting.source.starts_with("environment variable");
        if (folder != folders.end() && is_chosen) agent.own_folders.insert(folder->second);
    }
}

void load(CharmAgent& agent, const fs::path& root) {
    if (!agent.config.is_absolute()) {
        agent.problem = "its command names no configuration by absolute path (-c)";
        return;
    }
    if (agent.config.filename() != config_name) {
        agent.problem = "its configuration is " + agent.config.string() +
                        ", and `supervise` serves only files of the name " + config_name + ": rename it";
        return;
    }
    auto loaded = load_config(below_root(root, agent.config));
    if (loaded) {
        note_own_folders(agent, *loaded);
        agent.loaded = std::move(loaded->config);
    } else {
        agent.problem = loaded.error().empty() ? "its configuration cannot be read" : loaded.error().front().message();
    }
}

/// supervisord has "%%" for '%'. False if it has an expansion, too.
bool unescape(std::string& value) {
    std::string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '%' && i + 1 < value.size() && value[i + 1] == '(') return false;
        if (value[i] == '%' && i + 1 < value.size() && value[i + 1] == '%') ++i;
        text += value[i];
    }
    value = text;
    return true;
}

/// As supervisord reads a flag.
bool is_off(std::string value) {
    std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
    return value == "false" || value == "no" || value == "off" || value == "0";
}

CharmAgent agent_of(const SupervisordProgram& program, const std::vector<std::string>& words, const fs::path& file,
                    const fs::path& root) {
    CharmAgent agent{program.name,
                     file,
                     option(words, "-c", {"--config"}),
                     {},
                     option(words, "", {"--token-file"}),
                     program.value("user"),
                     program.environment,
                     {},
                     ""};
    const auto port = option(words, "-p", {"--metrics_port", "--metrics-port"});
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error == std::errc() && end == port.data() + port.size() && number > 0) agent.port = number;
    for (auto& [name, value] : agent.environment) {
        if (!unescape(value)) agent.unexpanded.insert(name);
    }
    load(agent, root);
    return agent;
}

void read_programs(const fs::path& root, CharmHost& host) {
    for (const auto& path : sorted_entries(below_root(root, conf_folder))) {
        if (path.extension() != ".conf") continue;
        const auto file = fs::path(conf_folder) / path.filename();
        std::size_t agents = 0;
        const auto programs = parse_supervisord_conf(read_file(path, file_limit).value_or(""));
        for (const auto& program : programs) {
            const auto words = split_command(program.value("command"));
            if (is_agent(words) && is_off(program.value("autostart"))) {
                host.not_started[program.name] = file.string();
            } else if (is_agent(words)) {
                host.agents.push_back(agent_of(program, words, file, root));
                ++agents;
            } else {
                host.other_programs[program.name] = file.string();
            }
        }
        if (agents > 0 && agents < programs.size()) host.shared_files.push_back(file.string());
    }
    std::sort(host.agents.begin(), host.agents.end(),
              [](const CharmAgent& a, const CharmAgent& b) { return a.program < b.program; });
}

void read_trees(const fs::path& root, CharmHost& host) {
    std::set<fs::path> trees;
    std::set<fs::path> served;
    for (const auto& agent : host.agents) {
        trees.insert(agent.folder().parent_path());
        served.insert(agent.folder());
    }
    if (trees.size() != 1) return;
    host.tree = *trees.begin();
    std::error_code ignored;
    for (const auto& folder : sorted_entries(below_root(root, host.tree))) {
        if (fs::is_symlink(folder, ignored) && served.contains(host.tree / fs::canonical(folder, ignored).filename())) {
            host.second_names.push_back(folder.filename());
            continue;
        }
        const bool has_config = fs::exists(folder / config_name, ignored);
        if (has_config && !served.contains(host.tree / folder.filename()))
            host.extra_folders.push_back(folder.filename());
    }
    for (const auto& sibling : sorted_entries(below_root(root, host.tree.parent_path()))) {
        const bool is_other = fs::is_directory(sibling, ignored) && !sibling.filename().string().starts_with('.') &&
                              sibling.filename() != host.tree.filename();
        if (is_other) host.siblings.push_back(host.tree.parent_path() / sibling.filename());
    }
}

void read_scripts(const fs::path& root, CharmHost& host) {
    for (const auto& path : sorted_entries(below_root(root, script_folder))) {
        if (!path.filename().string().starts_with("tf-")) continue;
        if (const auto text = read_file(path, file_limit)) {
            host.scripts.push_back(look_at_script(fs::path(script_folder) / path.filename(), *text, root));
        }
    }
}

void find_missing_folders(const fs::path& root, CharmHost& host) {
    std::set<std::string> missing;
    for (const auto& agent : host.agents) {
        if (!agent.loaded) continue;
        for (const auto& folder : agent.own_folders) {
            if (!is_folder(below_root(root, folder))) missing.insert(folder);
        }
    }
    host.missing_folders.assign(missing.begin(), missing.end());
}

std::string owner_of(const fs::path& result, const CharmHost& host) {
    const auto text = read_untrusted(result / "testflinger.json", job_limit);
    const auto job = nlohmann::json::parse(text.value_or(""), nullptr, false);
    if (!job.is_object()) return "";
    const auto queue = job.find("job_queue");
    if (queue == job.end() || !queue->is_string()) return "";
    for (const auto& agent : host.agents) {
        if (!agent.loaded) continue;
        const auto& queues = agent.loaded->job_queues;
        if (std::find(queues.begin(), queues.end(), queue->get<std::string>()) != queues.end())
            return agent.loaded->agent_id;
    }
    return "";
}

void read_results(const fs::path& root, CharmHost& host) {
    std::set<fs::path> folders;
    for (const auto& agent : host.agents) {
        if (agent.loaded) folders.insert(agent.loaded->results_basedir);
    }
    std::error_code ignored;
    for (const auto& folder : folders) {
        const bool has_list = fs::exists(fs::symlink_status(below_root(root, folder / adopted_list), ignored));
        for (const auto& path : sorted_entries(below_root(root, folder))) {
            if (is_folder(path) && fs::exists(path / "testflinger.json", ignored)) {
                host.results.push_back({folder / path.filename(), owner_of(path, host), has_list});
            }
        }
    }
}

void read_instances(const fs::path& root, CharmHost& host) {
    for (const auto& folder : sorted_entries(below_root(root, instance_folder))) {
        const auto loaded = load_config(folder / config_name);
        if (loaded) host.instances[loaded->config.agent_id] = folder.filename();
    }
}

std::vector<std::string> words_of_process(const fs::path& process) {
    std::vector<std::string> words;
    std::istringstream text(read_file(process / "cmdline", file_limit).value_or(""));
    for (std::string word; std::getline(text, word, '\0');) words.push_back(word);
    return words;
}

}  // namespace

std::vector<std::string> running_programs(const CharmHost& host, const fs::path& root) {
    std::set<std::string> running;
    for (const auto& process : sorted_entries(below_root(root, "/proc"))) {
        const auto words = words_of_process(process);
        if (!is_agent(words)) continue;
        const auto interpreted =
            std::find_if(words.begin(), words.end(), [](const std::string& word) { return is_agent({word}); });
        const auto config = option({interpreted, words.end()}, "-c", {"--config"});
        for (const auto& agent : host.agents) {
            if (agent.config == config) running.insert(agent.program);
        }
    }
    return {running.begin(), running.end()};
}

Result<CharmHost> read_charm_host(const fs::path& root) {
    const auto programs = below_root(root, conf_folder);
    if (!is_folder(programs)) {
        return fail("found no folder " + programs.string() + ", expected a host on which supervisord runs the agents");
    }
    CharmHost host;
    read_programs(root, host);
    if (host.agents.empty()) {
        return fail("found no program in " + programs.string() +
                    " that runs testflinger-agent: there is nothing to import");
    }
    read_trees(root, host);
    read_scripts(root, host);
    read_results(root, host);
    find_missing_folders(root, host);
    read_instances(root, host);
    const auto groups = read_file(below_root(root, "/etc/group"), file_limit).value_or("");
    host.has_docker_group = ("\n" + groups).find("\ndocker:") != std::string::npos;
    return host;
}

}  // namespace trebuchet
