#include "agent/config/secrets_section.hpp"

#include "agent/config/grant_section.hpp"
#include "agent/config/repository_section.hpp"
#include "agent/config/vault_section.hpp"

#include <utility>

namespace trebuchet {
namespace {

void read_environment_names(SectionReader& reader, std::vector<std::string>& names) {
    constexpr const char* key = "environment";
    if (const auto* node = reader.take(key)) {
        names.clear();
        if (node->kind != YamlKind::sequence) {
            reader.note(key, node->expected("a list of names of variables, such as [LAB_TOKEN]"));
        }
        for (const auto& item : node->items) {
            auto name = item.as_string().value_or("");
            if (!is_variable_name(name)) {
                reader.note(key, item.expected("the name of a variable, such as LAB_TOKEN"));
            } else {
                names.push_back(std::move(name));
            }
        }
    }
    reader.show(key, shown_list(names));
}

void read_keep_logs(SectionReader& reader, std::chrono::hours& keep) {
    auto days = keep.count() / 24;
    if (const auto number = reader.whole_number("keep_logs", 1, 3650)) days = *number;
    reader.show("keep_logs", std::to_string(days));
    keep = std::chrono::hours(24 * days);
}

}  // namespace

void read_secrets_section(SectionReader& outer, SectionNotes notes, SecretsConfig& config) {
    static const YamlNode none = [] {
        YamlNode node;
        node.kind = YamlKind::map;
        return node;
    }();
    const auto* section = outer.take_section("secrets");
    const bool is_map = section != nullptr && section->kind == YamlKind::map;
    if (section != nullptr && !is_map) outer.note("secrets", section->expected("a map with grants"));
    notes.prefix += "secrets.";
    notes.section += "secrets.";
    SectionReader reader(is_map ? *section : none, notes);
    read_grants(reader, notes, config.grants);
    read_environment_names(reader, config.environment);
    reader.secret_file("env_file", config.env_file);
    read_vault_section(reader, notes, config.vault);
    reader.absolute_path("key_folder", config.key_folder);
    read_repositories(reader, notes, config.repositories);
    if (!config.repositories.empty() && config.key_folder.empty()) {
        reader.note("repositories", {{}, "found no key_folder, expected the folder with the keys of the repositories"});
    }
    reader.boolean("templates", config.templates);
    reader.choice("untrusted_logs", {{"sent", UntrustedLogs::sent}, {"withheld", UntrustedLogs::withheld}},
                  config.untrusted_logs);
    read_keep_logs(reader, config.keep_logs);
    reader.refuse_unknown();
}

}  // namespace trebuchet
