#include "common/repository_file/repository_file.hpp"

#include "common/base/text.hpp"
#include "common/repository_file/file_advice.hpp"
#include "common/yaml/yaml_json.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace trebuchet {
namespace {

const std::vector<std::string> top_keys{"version", "test", "settings", "environments", "environment"};
const std::vector<std::string> block_keys{"environments", "environment"};
const std::vector<std::string> environment_keys{"name",      "arch",      "os",       "variables", "secrets", "tmt",
                                                "artifacts", "kickstart", "hardware", "pool",      "settings"};

/// Compiling a pattern takes some memory and time.
constexpr std::size_t most_patterns = 200;
constexpr std::size_t most_findings = 500;

bool is_one_of(std::string_view key, const std::vector<std::string>& keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool is_variable_name(std::string_view name) {
    return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

/// Never quotes the node: it may hold a secret.
std::string kind_of(const YamlNode& node) {
    return node.kind == YamlKind::scalar ? "a text or a number" : node.found();
}

/// A value with a ! or a * in front is a tag or an alias, which the YAML reader quotes.
YamlProblem unquoted(YamlProblem problem) {
    auto& text = problem.text;
    if (const auto name = text.find("anchor"); name != std::string::npos) {
        text = "found * in front of a text, which makes it an alias: put it into quotes";
    } else if (const auto first = text.find('"'); first != std::string::npos && text.rfind('"') > first) {
        text.replace(first, text.rfind('"') + 1 - first, "…");
    }
    return problem;
}

class FileReader {
  public:
    tl::expected<RepositoryFile, FileProblems> read(const YamlDocument& document) {
        for (const auto& warning : document.warnings) note(warning.at, warning.text);
        if (document.root.kind != YamlKind::map) {
            refuse(document.root, "a map with version, and what is patched");
            return tl::unexpected(std::move(problems_));
        }
        for (const auto& entry : document.root.entries) read_top(entry);
        if (document.root.find("version") == nullptr) note({1, 1}, "found no version, expected version: 1");
        if (!problems_.empty()) return tl::unexpected(std::move(problems_));
        return std::move(file_);
    }

  private:
    void refuse(const YamlNode& node, std::string_view expected) {
        refuse(node.at, "found " + kind_of(node) + ", expected " + std::string(expected));
    }
    void refuse(YamlPosition at, std::string text) {
        if (problems_.size() < most_findings) problems_.push_back({at, std::move(text)});
    }
    void note(YamlPosition at, std::string text, bool is_error = true) {
        if (file_.findings.size() < most_findings) file_.findings.push_back({{at, std::move(text)}, is_error});
    }

    void read_top(const YamlEntry& entry) {
        if (entry.key == "version") return read_version(entry.value);
        if (entry.key == "test") return read_plain(entry.value, file_.test);
        if (entry.key == "settings") return read_plain(entry.value, file_.settings);
        if (is_one_of(entry.key, block_keys)) return read_part(entry, file_.environments);
        if (entry.key.starts_with('/')) return read_plan(entry);
        note_unknown(entry, top_keys, "a plan, which begins with /");
    }

    void read_version(const YamlNode& node) {
        const auto version = node.as_int();
        if (!version || *version != 1) refuse(node.at, "found another version, expected version: 1");
    }

    void read_plain(const YamlNode& node, nlohmann::json& values) {
        if (node.kind != YamlKind::map) return refuse(node, "a map");
        values = yaml_to_json(node);
    }

    void note_unknown(const YamlEntry& entry, const std::vector<std::string>& known, const std::string& otherwise) {
        const auto near = did_you_mean(entry.key, known);
        note(entry.key_at, "the key " + trebuchet::quoted(entry.key) + " does nothing" +
                               (near.empty() ? ", expected " + otherwise : ": did you mean " + near + "?"));
    }

    std::optional<NamePattern> read_pattern(const YamlEntry& entry) {
        if (++patterns_ > most_patterns) {
            if (patterns_ == most_patterns + 1) {
                refuse(entry.key_at, "found more than " + std::to_string(most_patterns) + " names, expected fewer");
            }
            return std::nullopt;
        }
        auto pattern = NamePattern::parse(entry.key);
        if (pattern) return std::move(*pattern);
        refuse(entry.key_at, pattern.error().message());
        return std::nullopt;
    }

    void read_plan(const YamlEntry& entry) {
        auto pattern = read_pattern(entry);
        if (entry.value.kind != YamlKind::map) return refuse(entry.value, "a map with environments or environment");
        PatchBlock block;
        for (const auto& inner : entry.value.entries) {
            if (is_one_of(inner.key, block_keys)) {
                read_part(inner, block);
            } else {
                note_unknown(inner, block_keys, "environments or environment");
            }
        }
        if (pattern) file_.plans.push_back({std::move(*pattern), std::move(block)});
    }

    void read_part(const YamlEntry& entry, PatchBlock& block) {
        if (entry.key == "environments") {
            block.all = read_environment(entry.value);
        } else {
            read_named(entry.value, block);
        }
    }

    void read_named(const YamlNode& node, PatchBlock& block) {
        if (node.kind != YamlKind::map) return refuse(node, "a map from names of environments");
        for (const auto& entry : node.entries) {
            if (is_one_of(entry.key, environment_keys)) {
                note(entry.key_at, "environment." + entry.key + " does nothing: expected environments." + entry.key +
                                       ", or environment.NAME." + entry.key);
                continue;
            }
            auto pattern = read_pattern(entry);
            auto patch = read_environment(entry.value);
            if (pattern && patch) block.named.push_back({std::move(*pattern), std::move(*patch)});
        }
    }

    std::optional<EnvironmentPatch> read_environment(const YamlNode& node) {
        if (node.kind != YamlKind::map) {
            refuse(node, "a map such as {variables: …, secrets: …}");
            return std::nullopt;
        }
        EnvironmentPatch patch;
        for (const auto& entry : node.entries) read_environment_key(entry, patch);
        return patch;
    }

    void read_environment_key(const YamlEntry& entry, EnvironmentPatch& patch) {
        if (entry.key == "secrets") return read_secrets(entry.value, patch.secrets);
        if (entry.key == "variables") return read_variables(entry.value, patch.values["variables"], nullptr);
        if (entry.key == "tmt") return read_tmt(entry.value, patch);
        if (!is_one_of(entry.key, environment_keys)) note_foreign(entry);
        patch.values[entry.key] = yaml_to_json(entry.value);
    }

    /// It is passed on, as the format says, but mostly it is a mistake.
    void note_foreign(const YamlEntry& entry) {
        if (entry.value.find("secrets") != nullptr || entry.value.find("variables") != nullptr) {
            return note(entry.key_at, "what stands below " + trebuchet::quoted(entry.key) +
                                          " does nothing: move its keys up, or to environment." + entry.key);
        }
        note_unknown(entry, environment_keys, "a key of an environment, such as secrets");
    }

    void read_secrets(const YamlNode& node, std::map<std::string, EncryptedValue>& secrets) {
        if (node.kind != YamlKind::map) return refuse(node, "a map from variables to encrypted values");
        for (const auto& entry : node.entries) {
            if (check_name(entry)) secrets[entry.key] = read_secret(entry.value);
        }
    }

    bool check_name(const YamlEntry& entry) {
        if (is_variable_name(entry.key)) return true;
        note(entry.key_at, "found another name, expected the name of a variable: letters, digits and _");
        return false;
    }

    EncryptedValue read_secret(const YamlNode& node) {
        EncryptedValue value{{}, node.at};
        if (node.kind == YamlKind::sequence) {
            if (node.items.empty()) note(node.at, "found an empty list, expected encrypted values");
            for (const auto& item : node.items) read_entry(item, value);
        } else {
            read_entry(node, value);
        }
        return value;
    }

    void read_entry(const YamlNode& node, EncryptedValue& value) {
        if (node.kind != YamlKind::scalar) {
            return note(node.at, "found " + kind_of(node) + ", expected an encrypted value");
        }
        auto entry = parse_encrypted_entry(node.text);
        if (!entry) return note(node.at, entry.error().message());
        entry->at = node.at;
        value.entries.push_back(std::move(*entry));
    }

    /// `encrypted`: where values that are encrypted go; null: there must be none.
    void read_variables(const YamlNode& node, nlohmann::json& plain, std::map<std::string, EncryptedValue>* encrypted) {
        if (node.kind != YamlKind::map) return refuse(node, "a map from variables to texts");
        if (!plain.is_object()) plain = nlohmann::json::object();
        for (const auto& entry : node.entries) {
            if (check_name(entry)) read_variable(entry, plain, encrypted);
        }
    }

    void read_variable(const YamlEntry& entry, nlohmann::json& plain,
                       std::map<std::string, EncryptedValue>* encrypted) {
        const auto& node = entry.value;
        const bool is_cipher = node.kind == YamlKind::scalar && parse_encrypted_entry(node.text).has_value();
        if (encrypted != nullptr && (is_cipher || node.kind == YamlKind::sequence)) {
            (*encrypted)[entry.key] = read_secret_with_fallback(node);
            return;
        }
        if (is_cipher) note(node.at, "found an encrypted value, which is not decrypted here: expected it in secrets");
        if (node.kind != YamlKind::scalar) return note(node.at, "found " + kind_of(node) + ", expected a text");
        const auto text = node.as_string();
        if (!text) return note(node.at, text.error().text);
        if (!is_cipher && looks_secret(entry.key, *text)) {
            note(node.at,
                 "found plain text that looks like a secret: encrypt it with `trebuchet-agent secret encrypt` "
                 "and write it into secrets, and replace what everybody could read");
        }
        plain[entry.key] = *text;
    }

    /// Other programs take the last entry as plain text. Here an entry that is not encrypted is never used.
    EncryptedValue read_secret_with_fallback(const YamlNode& node) {
        EncryptedValue value{{}, node.at};
        if (node.kind != YamlKind::sequence) {
            read_entry(node, value);
            return value;
        }
        for (const auto& item : node.items) {
            const auto entry =
                item.kind == YamlKind::scalar ? parse_encrypted_entry(item.text) : fail("not even a text");
            if (entry) {
                read_entry(item, value);
            } else {
                note(item.at, "found a text that is not encrypted as an alternative, which is never used: " +
                                  std::string("expected what `trebuchet-agent secret encrypt` prints"));
            }
        }
        return value;
    }

    void read_tmt(const YamlNode& node, EnvironmentPatch& patch) {
        if (node.kind != YamlKind::map) return refuse(node, "a map such as {context: …, environment: …}");
        auto& values = patch.values["tmt"];
        values = nlohmann::json::object();
        for (const auto& entry : node.entries) {
            if (entry.key == "environment") {
                read_variables(entry.value, values["environment"], &patch.tmt_secrets);
            } else {
                if (entry.key == "context" && entry.value.kind != YamlKind::map) refuse(entry.value, "a map");
                values[entry.key] = yaml_to_json(entry.value);
            }
        }
    }

    RepositoryFile file_;
    FileProblems problems_;
    std::size_t patterns_ = 0;
};

}  // namespace

tl::expected<RepositoryFile, FileProblems> parse_repository_file(std::string_view text) {
    const auto document = parse_yaml(text);
    if (!document) return tl::unexpected(FileProblems{unquoted(document.error())});
    return FileReader().read(*document);
}

}  // namespace trebuchet
