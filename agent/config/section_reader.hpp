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

/// Which of `words` stands at `node`, by its index.
[[nodiscard]] YamlResult<std::size_t> one_of(const YamlNode& node, const std::vector<std::string>& words);

/// Where the problems and the values of a section go.
struct SectionNotes {
    std::string file;
    std::string prefix;   ///< before each key in messages: "", "trebuchet." or "tls." for instance
    std::string section;  ///< before each key in the settings: "", "trebuchet." or "trebuchet.tls."
    std::vector<ConfigProblem>& problems;
    EffectiveSettings& settings;
};

/// Reads one map of a configuration file key by key. Whatever is wrong is noted, and the reading goes on.
/// A key that is absent, or whose value is wrong, leaves the default as it is.
/// Each key that is asked for becomes one of the settings that `check-config --show` prints.
class SectionReader {
  public:
    SectionReader(const YamlNode& map, SectionNotes notes) : map_(map), notes_(std::move(notes)) {}

    /// The key's value if it is there; from now on the key counts as known. To be followed by show().
    const YamlNode* take(const std::string& key);
    /// The same for a key that holds another section, and is no setting itself.
    const YamlNode* take_section(const std::string& key);
    /// The value of a key that was taken, as it counts now.
    void show(const std::string& key, std::string value) {
        notes_.settings.set_value(notes_.section + key, std::move(value));
    }

    std::optional<std::string> string(const std::string& key);
    std::optional<std::string> non_empty_string(const std::string& key);
    std::optional<std::int64_t> whole_number(const std::string& key, std::int64_t least, std::int64_t most);

    // These read, set and show a value:

    /// A path, which has to be absolute.
    void absolute_path(const std::string& key, std::filesystem::path& value);
    void boolean(const std::string& key, bool& value);
    template <typename Choice>
    void choice(const std::string& key, const std::vector<std::pair<const char*, Choice>>& words, Choice& value);

    /// Notes "key: text" at the problem's place.
    void note(const std::string& key, const YamlProblem& problem);
    /// Notes every key that nobody asked for, as a mistake. For sections of which all keys are ours.
    void refuse_unknown();

    /// What nobody asked for, in the file's order.
    [[nodiscard]] std::vector<const YamlEntry*> unknown() const;
    /// The known key that `word` seems to mean, or "".
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
