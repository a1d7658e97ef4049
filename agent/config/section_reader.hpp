#pragma once

#include "agent/config/effective_settings.hpp"
#include "agent/config/load_config.hpp"
#include "common/yaml/yaml.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trebuchet {

/// The index of the node's text in `words`.
[[nodiscard]] YamlResult<std::size_t> one_of(const YamlNode& node, const std::vector<std::string>& words);

/// Where a section's problems and values go.
struct SectionNotes {
    std::string file;
    std::string prefix;   ///< text before each key in messages: "", "trebuchet." or "tls."
    std::string section;  ///< text before each key in the settings: "", "trebuchet." or "trebuchet.tls."
    std::vector<ConfigProblem>& problems;
    EffectiveSettings& settings;
};

/// Reads a map of a configuration file key by key. Problems are collected and do not stop the reading. A missing key or
/// a wrong value leaves the default unchanged. Each requested key becomes a setting that `check-config --show` prints.
class SectionReader {
  public:
    SectionReader(const YamlNode& map, SectionNotes notes) : map_(map), notes_(std::move(notes)) {}

    /// Returns the key's value, or null if it is missing, and marks the key as known. Call show() afterwards.
    const YamlNode* take(const std::string& key);
    /// The same for a key that contains a section and is not a setting itself.
    const YamlNode* take_section(const std::string& key);
    /// Sets the effective value of a key after take().
    void show(const std::string& key, std::string value) {
        notes_.settings.set_value(notes_.section + key, std::move(value));
    }

    std::optional<std::string> string(const std::string& key);
    std::optional<std::string> non_empty_string(const std::string& key);
    std::optional<std::int64_t> whole_number(const std::string& key, std::int64_t least, std::int64_t most);

    // These read, set and show a value:

    /// An absolute path.
    void absolute_path(const std::string& key, std::filesystem::path& value);
    /// The same, but a wrong value is not quoted: it may be the secret itself instead of its file.
    void secret_file(const std::string& key, std::filesystem::path& value);
    void boolean(const std::string& key, bool& value);
    /// One text, or a list of some; none of them empty.
    void texts(const std::string& key, std::vector<std::string>& value);
    template <typename Choice>
    void choice(const std::string& key, const std::vector<std::pair<const char*, Choice>>& words, Choice& value);

    /// Adds the problem "key: text".
    void note(const std::string& key, const YamlProblem& problem);
    /// Adds a problem for every unknown key. For sections that contain only our own keys.
    void refuse_unknown();

    /// The unknown entries, in the file's order.
    [[nodiscard]] std::vector<const YamlEntry*> unknown() const;
    /// The known key that `word` is probably a typo of, or "".
    [[nodiscard]] std::string nearest_known(std::string_view word) const;

  private:
    const YamlNode& map_;
    SectionNotes notes_;
    std::vector<std::string> known_;
};

template <typename Choice>
void SectionReader::choice(const std::string& key, const std::vector<std::pair<const char*, Choice>>& words,
                           Choice& value) {
    if (const auto* node = take(key)) {
        std::vector<std::string> names;
        names.reserve(words.size());
        for (const auto& word : words) names.emplace_back(word.first);
        if (const auto index = one_of(*node, names)) {
            value = words[*index].second;
        } else {
            note(key, index.error());
        }
    }
    for (const auto& [name, choice] : words) {
        if (choice == value) show(key, name);
    }
}

}  // namespace trebuchet
