#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// A key and its effective value.
struct EffectiveSetting {
    std::string key;     ///< including its section: "trebuchet.tls.ca_file"
    std::string value;   ///< in one line, in the file's syntax; mask it before printing, as it may contain credentials
    std::string source;  ///< "FILE:LINE", "environment variable NAME" or "default"
    bool is_value_known = true;  ///< false: a reader did not call set(), which is a bug
};

/// All keys that the readers of a configuration requested, in that order. Filled while the file is read, so that no key
/// with an effect can be missing.
class EffectiveSettings {
  public:
    /// Adds a requested key. `place`: position in the file. "" (not in this file) keeps an earlier file's position, or
    /// "default".
    void asked_for(const std::string& key, const std::string& place);
    void set_value(const std::string& key, std::string value);
    /// Sets a value from another source, such as an environment variable.
    void set(const std::string& key, std::string value, std::string source);

    [[nodiscard]] const std::vector<EffectiveSetting>& all() const { return settings_; }

  private:
    EffectiveSetting& at(const std::string& key);

    std::vector<EffectiveSetting> settings_;
    std::map<std::string, std::size_t, std::less<>> places_;
};

/// A value in the file's syntax, in one line: quoted if it is empty, begins or ends with a blank, or contains control
/// characters.
[[nodiscard]] std::string shown_value(std::string_view text);
/// "[a, b]"
[[nodiscard]] std::string shown_list(const std::vector<std::string>& items);
/// "{a: b, c: d}"
[[nodiscard]] std::string shown_map(const std::map<std::string, std::string>& entries);

}  // namespace trebuchet
