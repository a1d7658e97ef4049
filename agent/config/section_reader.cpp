#include "agent/config/section_reader.hpp"

#include "common/base/text.hpp"

#include <algorithm>

namespace trebuchet {

YamlResult<std::size_t> one_of(const YamlNode& node, const std::vector<std::string>& words) {
    const auto text = node.as_string().value_or("");
    const auto place = std::find(words.begin(), words.end(), text);
    if (place != words.end()) return static_cast<std::size_t>(place - words.begin());
    std::string expected;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) expected += i + 1 == words.size() ? " or " : ", ";
        expected += words[i];
    }
    const auto meant = text.empty() ? "" : did_you_mean(text, words);
    if (!meant.empty()) expected += "; did you mean " + meant + "?";
    return tl::unexpected(node.expected(expected));
}

const YamlNode* SectionReader::take(const std::string& key) {
    const auto entry = std::find_if(map_.entries.begin(), map_.entries.end(),
                                    [&](const YamlEntry& candidate) { return candidate.key == key; });
    const bool is_there = entry != map_.entries.end();
    notes_.settings.asked_for(notes_.section + key,
                              is_there ? notes_.file + ":" + std::to_string(entry->key_at.line) : "");
    return take_section(key);
}

const YamlNode* SectionReader::take_section(const std::string& key) {
    known_.push_back(key);
    return map_.find(key);
}

void SectionReader::note(const std::string& key, const YamlProblem& problem) {
    notes_.problems.push_back(
        {notes_.file, problem.at.line, problem.at.column, notes_.prefix + key + ": " + problem.text});
}

void SectionReader::refuse_unknown() {
    for (const auto* entry : unknown()) {
        std::string text = "unknown key " + trebuchet::quoted(notes_.prefix + entry->key);
        if (const auto meant = nearest_known(entry->key); !meant.empty()) {
            text += ", did you mean " + trebuchet::quoted(notes_.prefix + meant) + "?";
        }
        notes_.problems.push_back({notes_.file, entry->key_at.line, entry->key_at.column, std::move(text)});
    }
}

std::optional<std::string> SectionReader::string(const std::string& key) {
    const auto* node = take(key);
    if (node == nullptr) return std::nullopt;
    auto value = node->as_string();
    if (value) return std::move(*value);
    note(key, value.error());
    return std::nullopt;
}

std::optional<std::string> SectionReader::non_empty_string(const std::string& key) {
    auto value = string(key);
    if (!value || !value->empty()) return value;
    note(key, map_.find(key)->expected("a non-empty text"));
    return std::nullopt;
}

void SectionReader::absolute_path(const std::string& key, std::filesystem::path& value) {
    if (auto text = string(key)) {
        if (text->starts_with('/')) {
            value = std::move(*text);
        } else {
            note(key, map_.find(key)->expected("an absolute path"));
        }
    }
    show(key, shown_value(value.string()));
}

void SectionReader::secret_file(const std::string& key, std::filesystem::path& value) {
    if (auto text = string(key)) {
        if (text->starts_with('/')) {
            value = std::move(*text);
        } else {
            note(key, YamlProblem{map_.find(key)->at, "found something else, expected an absolute path of a file"});
        }
    }
    show(key, shown_value(value.string()));
}

void SectionReader::boolean(const std::string& key, bool& value) {
    if (const auto* node = take(key)) {
        const auto found = node->as_bool();
        if (found) value = *found;
        if (!found) note(key, found.error());
    }
    show(key, value ? "true" : "false");
}

std::optional<std::int64_t> SectionReader::whole_number(const std::string& key, std::int64_t least, std::int64_t most) {
    const auto* node = take(key);
    if (node == nullptr) return std::nullopt;
    const auto value = node->as_int();
    if (value && *value >= least && *value <= most) return *value;
    note(key, node->expected("a whole number from " + std::to_string(least) + " to " + std::to_string(most)));
    return std::nullopt;
}

std::vector<const YamlEntry*> SectionReader::unknown() const {
    std::vector<const YamlEntry*> entries;
    for (const auto& entry : map_.entries) {
        if (std::find(known_.begin(), known_.end(), entry.key) == known_.end()) entries.push_back(&entry);
    }
    return entries;
}

std::string SectionReader::nearest_known(std::string_view word) const {
    return did_you_mean(word, known_);
}

void SectionReader::texts(const std::string& key, std::vector<std::string>& value) {
    if (const auto* node = take(key)) {
        auto list = node->kind == YamlKind::sequence
                        ? node->as_string_list()
                        : node->as_string().map([](auto text) { return std::vector<std::string>{std::move(text)}; });
        if (!list) return note(key, list.error());
        const bool has_empty = std::any_of(list->begin(), list->end(), [](const auto& text) { return text.empty(); });
        if (list->empty() || has_empty) return note(key, node->expected("a text, or a list of texts"));
        value = std::move(*list);
    }
    show(key, shown_list(value));
}

}  // namespace trebuchet
