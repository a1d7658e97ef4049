#include "agent/config/secrets_section.hpp"

#include "agent/config/grant_section.hpp"
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
    reader.refuse_unknown();
}

}  // namespace trebuchet
