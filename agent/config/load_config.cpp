#include "agent/config/load_config.hpp"

#include "agent/config/agent_section.hpp"
#include "agent/config/environment_settings.hpp"
#include "agent/config/trebuchet_section.hpp"
#include "agent/config/vault_environment.hpp"
#include "common/file/regular_file.hpp"
#include "common/yaml/yaml.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

namespace trebuchet {
namespace {

using Loaded = tl::expected<LoadedConfig, std::vector<ConfigProblem>>;

struct Text {
    std::string file;
    std::string content;
};

ConfigProblem in_file(const std::string& file, const YamlProblem& problem) {
    return {file, problem.at.line, problem.at.column, problem.text};
}

/// The parsed text, or nullopt and a problem.
std::optional<YamlNode> parse(const Text& text, std::vector<ConfigProblem>& problems,
                              std::vector<ConfigProblem>& warnings) {
    auto document = parse_yaml(text.content);
    if (!document) {
        problems.push_back(in_file(text.file, document.error()));
        return std::nullopt;
    }
    for (const auto& warning : document->warnings) warnings.push_back(in_file(text.file, warning));
    return std::move(document->root);
}

void check_tls(const TlsConfig& tls, const std::string& file, std::vector<ConfigProblem>& problems) {
    if (tls.client_cert.empty() == tls.client_key.empty()) return;
    problems.push_back({file, 0, 0,
                        std::string("trebuchet.tls: found only ") +
                            (tls.client_key.empty() ? "client_cert" : "client_key") +
                            ", expected client_cert and client_key, or neither"});
}

/// Refuses a key without a client_id, which would go unnoticed as long as there is a token file.
void check_login(const TrebuchetConfig& config, const std::string& file, std::vector<ConfigProblem>& problems) {
    if (config.secret_key_file.empty() || !config.client_id.empty()) return;
    problems.push_back(
        {file, 0, 0, "trebuchet.secret_key_file: found no trebuchet.client_id, expected both or neither"});
}

/// What only the server's rules for posting guard is worth a word.
void warn_of_open_grants(const SecretsConfig& secrets, const std::string& file, std::vector<ConfigProblem>& warnings) {
    for (const auto& grant : secrets.grants) {
        if (grant.allow.queue_restricted || !grant.allow.client_ids.empty()) continue;
        warnings.push_back({file, 0, 0,
                            "trebuchet.secrets.grants: everybody who may post to the queue of the grant " + grant.name +
                                " gets its secrets: add queue_restricted: true or client_id"});
    }
}

/// Jobs would run, without what they ask for.
void warn_of_incomplete_login(const SecretsConfig& secrets, const std::string& file,
                              std::vector<ConfigProblem>& warnings) {
    if (!uses_vault(secrets)) return;
    const auto& vault = secrets.vault;
    const bool lacks_key = vault.login == VaultLogin::jwt && vault.signing_key_file.empty();
    const bool lacks_role = vault.login == VaultLogin::approle && vault.role_id.empty();
    if (!lacks_key && !lacks_role) return;
    warnings.push_back({file, 0, 0,
                        std::string("trebuchet.secrets.vault: no job gets a secret of Vault: ") +
                            (lacks_key ? "login: jwt needs signing_key_file" : "login: approle needs role_id")});
}

/// By position; problems of a whole file come first.
void sort_by_place(std::vector<ConfigProblem>& problems) {
    std::stable_sort(problems.begin(), problems.end(), [](const auto& left, const auto& right) {
        return std::tie(left.line, left.column) < std::tie(right.line, right.column);
    });
}

Loaded read(const Text& main, const std::optional<Text>& beside) {
    LoadedConfig loaded;
    std::vector<ConfigProblem> problems;
    if (beside) {
        if (const auto section = parse(*beside, problems, loaded.warnings)) {
            read_trebuchet_section(*section, beside->file, "", loaded.config.trebuchet, problems, loaded.settings);
        }
        sort_by_place(problems);
    }
    std::vector<ConfigProblem> main_problems;
    if (const auto root = parse(main, main_problems, loaded.warnings)) {
        if (root->kind == YamlKind::map) {
            read_agent_section(*root, main.file, loaded.config, main_problems, loaded.warnings, loaded.settings);
            const auto* section = root->find("trebuchet");
            read_trebuchet_section(section == nullptr ? YamlNode() : *section, main.file, "trebuchet.",
                                   loaded.config.trebuchet, main_problems, loaded.settings);
        } else {
            main_problems.push_back(
                in_file(main.file, root->expected("a map with agent_id, server_address and job_queues")));
        }
    }
    if (problems.empty() && main_problems.empty()) {
        check_tls(loaded.config.trebuchet.tls, main.file, main_problems);
        check_login(loaded.config.trebuchet, main.file, main_problems);
        warn_of_open_grants(loaded.config.trebuchet.secrets, main.file, loaded.warnings);
        warn_of_incomplete_login(loaded.config.trebuchet.secrets, main.file, loaded.warnings);
    }
    sort_by_place(main_problems);
    problems.insert(problems.begin(), main_problems.begin(), main_problems.end());
    if (!problems.empty()) return tl::unexpected(std::move(problems));
    sort_by_place(loaded.warnings);
    return loaded;
}

Result<Text> read_text(const std::filesystem::path& file) {
    auto content = read_regular_file(file, YamlLimits().bytes);
    if (!content) return fail(content.error());
    return Text{file.string(), std::move(*content)};
}

}  // namespace

std::string ConfigProblem::message() const {
    if (file.empty()) return text;

    return YamlProblem{{line, column}, text}.message(file);
}

Loaded load_config(const std::filesystem::path& file) {
    std::vector<ConfigProblem> unreadable;
    auto main = read_text(file);
    if (!main) unreadable.push_back({"", 0, 0, main.error().message()});

    std::optional<Text> beside;
    const auto path = file.parent_path() / "trebuchet.yaml";
    std::error_code error;
    if (std::filesystem::status(path, error).type() != std::filesystem::file_type::not_found) {
        if (auto text = read_text(path)) {
            beside = std::move(*text);
        } else {
            unreadable.push_back({"", 0, 0, text.error().message()});
        }
    }
    if (!unreadable.empty()) return tl::unexpected(std::move(unreadable));
    auto loaded = read(*main, beside);
    if (loaded) read_environment([](const char* name) { return std::getenv(name); }, *loaded);
    return loaded;
}

Loaded parse_config(std::string_view text, const std::string& file) {
    return read({file, std::string(text)}, std::nullopt);
}

}  // namespace trebuchet
