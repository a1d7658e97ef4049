#pragma once

#include "agent/config/load_config.hpp"
#include "common/yaml/yaml.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trebuchet {

/// Which of `words` stands at `node`, by its index.
[[nodiscard]] YamlResult<std::size_t> one_of(const YamlNode& node, const std::vector<std::string>& words);

/// Reads one map of a configuration file key by key. Whatever is wrong is noted, and the reading goes on.
/// A key that is absent, or whose value is wrong, leaves the default as it is.
class SectionReader {
  public:
    /// `prefix` stands before each key in messages: "" or "trebuchet." for instance.
    SectionReader(const YamlNode& map, std::string file, std::string prefix, std::vector<ConfigProblem>& problems)
        : map_(map), file_(std::move(file)), prefix_(std::move(prefix)), problems_(problems) {}

    /// The key's value if it is there; from now on the key counts as known.
    const YamlNode* take(const std::string& key);

    std::optional<std::string> string(const std::string& key);
    std::optional<std::string> non_empty_string(const std::string& key);
    /// A path, which has to be absolute.
    std::optional<std::string> absolute_path(const std::string& key);
    std::optional<bool> boolean(const std::string& key);
    std::optional<std::int64_t> whole_number(const std::string& key, std::int64_t least, std::int64_t most);
    std::optional<std::size_t> choice(const std::string& key, const std::vector<std::string>& words);

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
    std::string file_;
    std::string prefix_;
    std::vector<ConfigProblem>& problems_;
    std::vector<std::string> known_;
};

}  // namespace trebuchet
