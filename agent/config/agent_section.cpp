#include "agent/config/agent_section.hpp"

#include "agent/config/section_reader.hpp"
#include "agent/config/server_address.hpp"
#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace trebuchet {
namespace {

/// About 30 years: a duration up to this can be added to any time point without overflow.
constexpr std::int64_t most_seconds = 1'000'000'000;

constexpr std::array<const char*, 7> phases{"setup",    "provision", "firmware_update", "test",
                                            "allocate", "reserve",   "cleanup"};

/// The ID becomes a folder's name and a part of URLs. Returns what is expected instead of an invalid ID.
std::optional<std::string> wrong_agent_id(const std::string& id) {
    if (id.empty()) return "a non-empty text";
    if (id == "." || id == "..") return "a name that is valid as a folder's name";
    if (id.size() > 200) return "at most 200 bytes";
    if (id.find_first_of("/\\?#%") != std::string::npos) return "a name without / \\ ? # %";
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
    if (std::any_of(id.begin(), id.end(), is_control)) return "a name without control characters";
    return std::nullopt;
}

class AgentSection {
  public:
    AgentSection(const YamlNode& map, const std::string& file, Config& config, std::vector<ConfigProblem>& problems,
                 std::vector<ConfigProblem>& warnings, EffectiveSettings& settings)
        : map_(map),
          file_(file),
          reader_(map, {file, "", "", problems, settings}),
          settings_(settings),
          config_(config),
          problems_(problems),
          warnings_(warnings) {}

    void read() {
        reader_.take_section("trebuchet");
        read_identity();
        read_server_address();
        read_job_queues();
        read_folders_and_logging();
        read_numbers();
        for (const auto* phase : phases) {
            const auto command = exported_string(phase + std::string("_command"), "");
            if (command && !command->empty()) config_.phase_commands[phase] = *command;
        }
        read_advertised();
        // Keys that the reference agent accepts and does not use: links and control_host are for people and Juju
        // charms.
        for (const auto* key : {"links", "control_host"}) {
            reader_.take(key);
            reader_.show(key, "(not used by the agent)");
        }
        look_for_required_keys();
        export_other_strings();
        warn_of_unknown_keys();
    }

  private:
    /// A string that phases get in their environment; `fallback` if the key is missing.
    std::optional<std::string> exported_string(const std::string& key, std::optional<std::string> fallback) {
        const bool is_there = map_.find(key) != nullptr;
        auto value = is_there ? reader_.string(key) : std::move(fallback);
        if (!is_there) reader_.take(key);
        if (value) config_.exported[key] = *value;
        reader_.show(key, shown_value(value.value_or("")));
        return value;
    }

    void problem(const std::string& key, const YamlNode& node, const std::string& expected) {
        reader_.note(key, node.expected(expected));
    }

    void warn(YamlPosition at, std::string text) { warnings_.push_back({file_, at.line, at.column, std::move(text)}); }

    void read_identity() {
        if (auto id = exported_string("agent_id", std::nullopt)) {
            if (const auto expected = wrong_agent_id(*id)) problem("agent_id", *map_.find("agent_id"), *expected);
            config_.agent_id = std::move(*id);
        }
        config_.identifier = exported_string("identifier", std::nullopt).value_or("");
        config_.location = exported_string("location", std::nullopt).value_or("");
        config_.provision_type = exported_string("provision_type", std::nullopt).value_or("");
    }

    void read_server_address() {
        const auto text = exported_string("server_address", std::nullopt);
        if (!text) return;
        const auto at = map_.find("server_address")->at;
        auto address = parse_server_address(*text);
        if (!address) {
            reader_.note("server_address", YamlProblem{at, address.error().message()});
            return;
        }
        if (address->path.find_first_not_of('/') != std::string::npos) {
            warn(at, "server_address: found the path " + trebuchet::quoted(address->path) +
                         ", which is not used: the API is always at /v1");
        }
        config_.server_address = std::move(address->origin);
        reader_.show("server_address", config_.server_address);
    }

    void read_job_queues() {
        read_list_of_queues();
        reader_.show("job_queues", shown_list(config_.job_queues));
    }

    void read_list_of_queues() {
        const auto* node = reader_.take("job_queues");
        if (node == nullptr) return;
        if (node->kind == YamlKind::scalar) {
            problem("job_queues", *node, "a list of strings: write [" + trebuchet::quoted(node->text) + "]");
        } else if (node->kind != YamlKind::sequence) {
            problem("job_queues", *node, "a list of strings");
        } else if (node->items.empty()) {
            reader_.note("job_queues", YamlProblem{node->at, "found an empty list, expected at least one queue"});
        } else {
            for (const auto& item : node->items) {
                auto queue = item.as_string();
                if (queue && !queue->empty()) {
                    config_.job_queues.push_back(std::move(*queue));
                } else {
                    problem("job_queues", item, "the name of a queue");
                }
            }
        }
    }

    void read_folder(const std::string& key, std::filesystem::path& folder) {
        const auto text = exported_string(key, folder.string());
        if (!text) return;
        if (text->empty()) problem(key, *map_.find(key), "the path of a folder");
        folder = *text;
    }

    void read_folders_and_logging() {
        read_folder("execution_basedir", config_.execution_basedir);
        read_folder("logging_basedir", config_.logging_basedir);
        read_folder("results_basedir", config_.results_basedir);
        reader_.boolean("logging_quiet", config_.logging_quiet);

        auto level = exported_string("logging_level", config_.logging_level).value_or(config_.logging_level);
        std::transform(level.begin(), level.end(), level.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        if (level == "WARN") level = "WARNING";
        if (level == "FATAL") level = "CRITICAL";
        const std::array<std::string_view, 5> levels{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};
        if (std::find(levels.begin(), levels.end(), level) != levels.end()) {
            config_.logging_level = level;
        } else {
            const auto wrong =
                map_.find("logging_level")->expected("DEBUG, INFO, WARNING, ERROR or CRITICAL; INFO is used");
            warn(wrong.at, "logging_level: " + wrong.text);
        }
        reader_.show("logging_level", config_.logging_level);
    }

    void read_seconds(const std::string& key, std::chrono::seconds& value) {
        if (const auto number = reader_.whole_number(key, 1, most_seconds)) value = std::chrono::seconds(*number);
        reader_.show(key, std::to_string(value.count()));
    }

    void read_numbers() {
        read_seconds("polling_interval", config_.polling_interval);
        read_seconds("global_timeout", config_.global_timeout);
        read_seconds("output_timeout", config_.output_timeout);
        if (const auto bytes = reader_.whole_number("output_bytes", 1, std::int64_t{1} << 40)) {
            config_.output_bytes = static_cast<std::uint64_t>(*bytes);
        }
        reader_.show("output_bytes", std::to_string(config_.output_bytes));
    }

    void read_string_map(const std::string& key, const YamlNode& node, const std::string& shape,
                         std::map<std::string, std::string>& strings) {
        if (node.kind != YamlKind::map) {
            problem(key, node, shape);
            return;
        }
        for (const auto& entry : node.entries) {
            auto text = entry.value.as_string();
            if (text || entry.value.kind == YamlKind::null) {
                strings[entry.key] = text.value_or("");
            } else {
                problem(key, entry.value, "a string");
            }
        }
    }

    void read_advertised() {
        read_queues_and_images();
        reader_.show("advertised_queues", shown_map(config_.advertised_queues));
        std::map<std::string, std::string> images;
        for (const auto& [queue, of_queue] : config_.advertised_images) images[queue] = shown_map(of_queue);
        reader_.show("advertised_images", shown_map(images));
    }

    void read_queues_and_images() {
        if (const auto* queues = reader_.take("advertised_queues")) {
            read_string_map("advertised_queues", *queues, "a map from queues to their descriptions",
                            config_.advertised_queues);
        }
        const auto* images = reader_.take("advertised_images");
        if (images == nullptr) return;
        const std::string shape = "a map from images to provision_data";
        if (images->kind != YamlKind::map) {
            problem("advertised_images", *images, "a map from queues to maps from images to provision_data");
            return;
        }
        for (const auto& queue : images->entries) {
            read_string_map("advertised_images", queue.value, shape, config_.advertised_images[queue.key]);
        }
    }

    void look_for_required_keys() {
        for (const auto& [key, expected] :
             {std::pair{"agent_id", "the name of this agent"}, std::pair{"server_address", "the server's address"},
              std::pair{"job_queues", "a list of the queues to take jobs from"}}) {
            if (map_.find(key) != nullptr) continue;
            std::string text = "the key \"" + std::string(key) + "\" is missing, expected " + expected;
            for (const auto* entry : reader_.unknown()) {
                if (reader_.nearest_known(entry->key) != key) continue;
                text += "; is it the misspelt key " + trebuchet::quoted(entry->key) + " in line " +
                        std::to_string(entry->key_at.line) + "?";
                break;
            }
            problems_.push_back({file_, 0, 0, std::move(text)});
        }
    }

    void export_other_strings() {
        for (const auto& entry : map_.entries) {
            const bool is_string = entry.value.kind == YamlKind::scalar && entry.value.type() == YamlType::string;
            if (!is_string || entry.key == "trebuchet") continue;
            const bool fits = !entry.key.empty() && entry.key.find('=') == std::string::npos &&
                              entry.key.find('\0') == std::string::npos &&
                              entry.value.text.find('\0') == std::string::npos;
            if (fits) {
                config_.exported.emplace(entry.key, entry.value.text);
            } else {
                warn(entry.key_at, "the key " + trebuchet::quoted(entry.key) +
                                       " is not passed to phases: an environment " +
                                       "variable cannot have this name or value");
            }
        }
    }

    void warn_of_unknown_keys() {
        for (const auto* entry : reader_.unknown()) {
            if (config_.exported.count(entry->key) > 0) show_exported(*entry);
            std::string text = "unknown key " + trebuchet::quoted(entry->key);
            if (const auto meant = reader_.nearest_known(entry->key); !meant.empty()) {
                text += ", did you mean " + trebuchet::quoted(meant) + "?";
            } else if (config_.exported.count(entry->key) > 0) {
                text += ", only passed to phases as an environment variable";
            } else {
                text += ", ignored: only strings are passed to phases";
            }
            warn(entry->key_at, std::move(text));
        }
    }

    /// Hides the value of an unknown key: it may be a password.
    void show_exported(const YamlEntry& entry) {
        settings_.set(shown_value(entry.key), "(not shown; phases get it as an environment variable)",
                      file_ + ":" + std::to_string(entry.key_at.line));
    }

    const YamlNode& map_;
    const std::string& file_;
    SectionReader reader_;
    EffectiveSettings& settings_;
    Config& config_;
    std::vector<ConfigProblem>& problems_;
    std::vector<ConfigProblem>& warnings_;
};

}  // namespace

void read_agent_section(const YamlNode& map, const std::string& file, Config& config,
                        std::vector<ConfigProblem>& problems, std::vector<ConfigProblem>& warnings,
                        EffectiveSettings& settings) {
    AgentSection(map, file, config, problems, warnings, settings).read();
}

}  // namespace trebuchet
