#include "agent/config/grant_section.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

const std::vector<std::string> all_phase_names{"setup",    "provision", "firmware_update", "test",
                                               "allocate", "reserve",   "cleanup"};

/// A value may stand there by mistake, so it is not quoted.
YamlProblem unquoted(const YamlNode& node, const std::string& expected) {
    return {node.at, "found something else, expected " + expected};
}

/// Reads the map under `key` with `read`, which gets a reader for it.
template <typename Read>
void read_map(SectionReader& outer, const SectionNotes& notes, const std::string& key, const Read& read) {
    const auto* node = outer.take(key);
    if (node == nullptr) return;
    if (node->kind != YamlKind::map) return outer.note(key, node->expected("a map"));
    auto inner = notes;
    inner.prefix += key + ".";
    SectionReader reader(*node, std::move(inner));
    read(reader);
    reader.refuse_unknown();
}

void read_allow(SectionReader& reader, GrantConditions& allow) {
    reader.texts("queue", allow.queues);
    reader.boolean("queue_restricted", allow.queue_restricted);
    reader.texts("client_id", allow.client_ids);
    reader.choice("attachments", {{"none", false}, {"any", true}}, allow.any_attachments);
}

void read_deny(SectionReader& reader, GrantExceptions& deny) {
    reader.texts("tags", deny.tags);
    reader.texts("name", deny.names);
    deny.priority_below = reader.whole_number("priority_below", -1'000'000, 1'000'000);
}

void read_phases(SectionReader& reader, std::vector<std::string>& phases) {
    const auto* node = reader.take("phases");
    if (node == nullptr) return;
    if (node->kind != YamlKind::sequence || node->items.empty()) {
        return reader.note("phases", node->expected("a list of phases, such as [provision, test]"));
    }
    phases.clear();
    for (const auto& item : node->items) {
        const auto index = one_of(item, all_phase_names);
        if (index) phases.push_back(all_phase_names[*index]);
        if (!index) reader.note("phases", index.error());
    }
}

void read_variable(SectionReader& reader, const std::string& key, const YamlEntry& entry,
                   std::map<std::string, SecretReference>& variables) {
    if (!is_variable_name(entry.key)) {
        return reader.note(key, {entry.key_at, "found another name, expected the name of a variable"});
    }
    const auto reference = parse_secret_reference(entry.value.as_string().value_or(""));
    if (!reference) return reader.note(key + "." + entry.key, unquoted(entry.value, reference.error()));
    variables[entry.key] = *reference;
}

void read_variables(SectionReader& reader, const std::string& key, std::map<std::string, SecretReference>& variables) {
    const auto* node = reader.take(key);
    if (node == nullptr) return;
    if (node->kind != YamlKind::map) return reader.note(key, node->expected("a map from variables to references"));
    for (const auto& entry : node->entries) read_variable(reader, key, entry, variables);
}

void read_document(SectionReader& reader, SecretGrant& grant) {
    if (const auto* node = reader.take("env_from")) {
        const auto reference = parse_document_reference(node->as_string().value_or(""));
        if (reference) grant.env_from = *reference;
        if (!reference) reader.note("env_from", unquoted(*node, reference.error()));
    }
    const auto prefix = reader.string("env_prefix");
    if (!prefix) return;
    if (is_variable_name(*prefix)) {
        grant.env_prefix = *prefix;
    } else {
        reader.note("env_prefix", reader.take("env_prefix")->expected("the start of a variable's name, such as CI_"));
    }
}

void read_grant_keys(SectionReader& reader, const SectionNotes& notes, SecretGrant& grant) {
    grant.name = reader.non_empty_string("name").value_or("");
    read_map(reader, notes, "allow", [&](auto& inner) { read_allow(inner, grant.allow); });
    read_map(reader, notes, "deny", [&](auto& inner) { read_deny(inner, grant.deny); });
    reader.boolean("always", grant.always);
    read_phases(reader, grant.phases);
    read_variables(reader, "env", grant.env);
    read_variables(reader, "files", grant.files);
    read_document(reader, grant);
    reader.choice("otherwise", {{"empty", Otherwise::empty}, {"refuse", Otherwise::refuse}}, grant.otherwise);
    reader.choice("on_missing", {{"empty", OnMissing::empty}, {"fail", OnMissing::fail}}, grant.on_missing);
}

/// What is wrong with the grant as a whole, or "".
std::string problem_of(const SecretGrant& grant, const std::vector<SecretGrant>& others) {
    const auto has_name = [&](const SecretGrant& other) { return other.name == grant.name; };
    const auto is_in_both = [&](const auto& entry) { return grant.files.contains(entry.first); };
    const auto& allow = grant.allow;
    if (!is_variable_name(grant.name)) return "name: expected a name of letters, digits and '_'";
    if (std::any_of(others.begin(), others.end(), has_name))
        return "name: expected another name, " + grant.name + " is taken";
    if (allow.queues.empty() && allow.client_ids.empty() && !allow.queue_restricted) {
        return "allow: found no condition, expected at least one of queue, queue_restricted and client_id";
    }
    if (grant.env.empty() && grant.files.empty() && !grant.env_from) {
        return "found no secrets, expected env, files or env_from";
    }
    if (std::any_of(grant.env.begin(), grant.env.end(), is_in_both)) {
        return "files: found a variable that env has, too, expected another name";
    }
    if (!grant.env_prefix.empty() && !grant.env_from) return "env_prefix: found no env_from, expected both or neither";
    return "";
}

}  // namespace

void read_grants(SectionReader& outer, SectionNotes notes, std::vector<SecretGrant>& grants) {
    constexpr const char* key = "grants";
    if (const auto* node = outer.take(key)) {
        grants.clear();  // the other file's
        if (node->kind != YamlKind::sequence) outer.note(key, node->expected("a list of grants"));
        for (std::size_t i = 0; i < node->items.size(); ++i) {
            const auto& item = node->items[i];
            const auto place = std::string(key) + "[" + std::to_string(i) + "]";
            if (item.kind != YamlKind::map) {
                outer.note(place, item.expected("a map with name, allow and env"));
                continue;
            }
            EffectiveSettings not_shown;
            const auto problems = notes.problems.size();
            const SectionNotes inner{notes.file, notes.prefix + place + ".", "", notes.problems, not_shown};
            SectionReader reader(item, inner);
            SecretGrant grant;
            read_grant_keys(reader, inner, grant);
            reader.refuse_unknown();
            if (notes.problems.size() > problems) continue;
            if (const auto problem = problem_of(grant, grants); !problem.empty()) {
                outer.note(place, {item.at, problem});
            } else {
                grants.push_back(std::move(grant));
            }
        }
    }
    std::vector<std::string> names;
    names.reserve(grants.size());
    for (const auto& grant : grants) names.push_back(grant.name);
    outer.show(key, shown_list(names));
}

}  // namespace trebuchet
