#include "provision/connectors/config_check.hpp"

#include "common/base/text.hpp"
#include "common/yaml/yaml.hpp"
#include "provision/config/connector_config.hpp"
#include "provision/connectors/registry.hpp"
#include "provision/job/duration.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace trebuchet {
namespace {

/// Keys of the reference's types.
constexpr std::array<std::string_view, 16> reference_keys{"test_device",
                                                          "control_switch_local_cmd",
                                                          "control_switch_device_cmd",
                                                          "post_provision_script",
                                                          "recovery_cmds",
                                                          "testflinger_server",
                                                          "select_master_script",
                                                          "select_test_script",
                                                          "snappy_writable_partition",
                                                          "post_flash_cmds",
                                                          "maas_user",
                                                          "node_id",
                                                          "reset_efi",
                                                          "clear_tpm",
                                                          "timeout_min",
                                                          "default_disks"};

struct KnownKey {
    KeySpec spec;
    std::vector<std::string> types;  ///< types that read it; empty: all types
};
using KnownKeys = std::map<std::string, KnownKey, std::less<>>;

KnownKeys known_keys() {
    KnownKeys known;
    for (const auto& spec : common_keys().config) known.insert({std::string(spec.name), KnownKey{spec, {}}});
    for (const auto& type : connector_types()) {
        for (const auto& spec : make_connector(type)->keys().config) {
            const auto [key, is_new] = known.insert({std::string(spec.name), KnownKey{spec, {type}}});
            if (!is_new && !key->second.types.empty()) key->second.types.push_back(type);
        }
    }
    return known;
}

YamlResult<void> discard(bool is_right, const YamlNode& node, const std::string& expected) {
    if (is_right) return {};
    return tl::unexpected(node.expected(expected));
}

/// The reference accepts quoted numbers and booleans.
YamlNode unquoted(const YamlNode& node) {
    auto plain = node;
    plain.was_quoted = false;
    return plain;
}

YamlResult<void> check_value(const KeySpec& spec, const YamlNode& node) {
    const auto expected = name_of(spec.kind);
    switch (spec.kind) {
        case KeyKind::text:
        case KeyKind::command:
            return discard(node.as_string().has_value(), node, expected);
        case KeyKind::number:
            return discard(unquoted(node).as_int().has_value(), node, expected);
        case KeyKind::port: {
            const auto value = unquoted(node).as_int();
            return discard(value && *value >= 1 && *value <= 65535, node, expected);
        }
        case KeyKind::flag:
            return discard(unquoted(node).as_bool().has_value(), node, expected);
        case KeyKind::seconds: {
            const auto text = node.as_string();
            return discard(text && (text->empty() || parse_duration(*text)), node, expected);
        }
        case KeyKind::commands:
            return discard(node.as_string_list().has_value() || node.as_string().has_value(), node, expected);
        case KeyKind::map:
            return discard(node.kind == YamlKind::map, node, expected);
        case KeyKind::records: {
            const auto is_list = node.kind == YamlKind::sequence &&
                                 std::all_of(node.items.begin(), node.items.end(),
                                             [](const auto& item) { return item.kind == YamlKind::map; });
            return discard(is_list, node, expected);
        }
        case KeyKind::value:
            return {};
        case KeyKind::choice: {
            const auto value = node.as_string();
            const auto is_one =
                value && std::find(spec.choices.begin(), spec.choices.end(), *value) != spec.choices.end();
            std::string list;
            for (const auto choice : spec.choices) list += (list.empty() ? "" : " or ") + std::string(choice);
            return discard(is_one, node, list);
        }
    }
    return {};
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
    return out;
}

YamlProblem unknown_key(const YamlEntry& entry, const KnownKeys& known, std::string_view type) {
    std::vector<std::string> names;
    for (const auto& [name, key] : known) {
        const auto fits =
            type.empty() || key.types.empty() || std::find(key.types.begin(), key.types.end(), type) != key.types.end();
        if (fits) names.push_back(name);
    }
    const auto near = did_you_mean(entry.key, names);
    return {entry.key_at, "unknown key: no connector type reads " + trebuchet::quoted(entry.key) +
                              (near.empty() ? "" : "; did you mean " + trebuchet::quoted(near) + "?")};
}

/// False for "key:" and "key: ''".
bool is_set(const YamlNode& node) {
    return node.kind != YamlKind::null && (node.kind != YamlKind::scalar || !node.text.empty());
}

/// Whether a shell would do more with this command than split it into words.
bool has_shell_syntax(std::string_view command) {
    char quote = 0;
    for (std::size_t i = 0; i < command.size(); ++i) {
        const char c = command[i];
        if (c == '\\' && quote != '\'') {
            ++i;
        } else if (quote != 0) {
            if (c == quote) quote = 0;
            if (quote == '"' && (c == '$' || c == '`')) return true;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (std::string_view(";|&<>$`").find(c) != std::string_view::npos) {
            return true;
        }
    }
    return false;
}

/// The script that is run without a shell.
constexpr std::string_view script_without_shell = "reboot_script";

class Check {
  public:
    Check(const std::string& file, std::string_view type)
        : file_(&file), type_(current_type(type)), known_(known_keys()) {}

    void entry(const YamlEntry& entry) {
        const auto found = known_.find(entry.key);
        if (found == known_.end()) {
            if (std::find(reference_keys.begin(), reference_keys.end(), entry.key) == reference_keys.end()) {
                findings_.warnings.push_back(unknown_key(entry, known_, type_).message(*file_));
            }
            return;
        }
        const auto& [spec, types] = found->second;
        if (!type_.empty() && !types.empty() && std::find(types.begin(), types.end(), type_) == types.end()) {
            findings_.warnings.push_back(YamlProblem{entry.key_at, trebuchet::quoted(entry.key) + " is a key of " +
                                                                       joined(types) + "; " + std::string(type_) +
                                                                       " does not read it"}
                                             .message(*file_));
            return;
        }
        if (!is_set(entry.value)) return;
        warn_of_shell_syntax(entry);
        if (auto done = check_value(spec, entry.value); !done) {
            auto problem = done.error();
            problem.text = entry.key + ": " + problem.text;
            findings_.problems.push_back(problem.message(*file_));
        }
    }

    /// Checks for missing required keys of the type.
    void requirements(const YamlNode& root) {
        if (type_.empty()) return;
        for (const auto& spec : make_connector(type_)->keys().config) {
            const auto* const value = root.find(spec.name);
            if (!spec.is_required || (value != nullptr && is_set(*value))) continue;
            findings_.problems.push_back(*file_ + ": " + std::string(type_) + " needs the key " +
                                         trebuchet::quoted(spec.name) + ", " + std::string(spec.help));
        }
    }

    ConfigFindings& findings() { return findings_; }

  private:
    void warn_of_shell_syntax(const YamlEntry& entry) {
        if (entry.key != script_without_shell) return;
        const auto warn = [&](const YamlNode& item) {
            if (item.kind != YamlKind::scalar || !has_shell_syntax(item.text)) return;
            findings_.warnings.push_back(
                YamlProblem{item.at, entry.key + ": " + trebuchet::quoted(item.text) +
                                         " is run without a shell, which takes ; | & < > $ as plain text: write it as "
                                         "sh -c '…'"}
                    .message(*file_));
        };
        if (entry.value.kind == YamlKind::scalar) warn(entry.value);
        for (const auto& item : entry.value.items) warn(item);
    }

    const std::string* file_;
    std::string_view type_;
    KnownKeys known_;
    ConfigFindings findings_;
};

}  // namespace

ConfigFindings check_config(std::string_view text, const std::string& file, std::string_view type) {
    const auto document = parse_yaml(text);
    if (!document) return {{document.error().message(file)}, {}};
    const auto& root = document->root;
    if (root.kind != YamlKind::map && root.kind != YamlKind::null) {
        return {{root.expected("keys and values").message(file)}, {}};
    }
    Check check(file, type);
    auto& findings = check.findings();
    for (const auto& warning : document->warnings) findings.warnings.push_back(warning.message(file));
    for (const auto& entry : root.entries) check.entry(entry);
    check.requirements(root);
    if (!findings.problems.empty()) return findings;

    const auto config = parse_connector_config(text, file);
    if (!config) {
        findings.problems = config.error();
    } else if (!type.empty()) {
        for (const auto& problem : make_connector(type)->problems(*config)) {
            findings.problems.push_back(file + ": " + problem);
        }
    }
    return findings;
}

}  // namespace trebuchet
