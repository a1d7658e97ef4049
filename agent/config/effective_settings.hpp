#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// One key that the code reads, and the value that it uses.
struct EffectiveSetting {
    std::string key;             ///< with its section: "trebuchet.tls.ca_file"
    std::string value;           ///< on one line, as a file would have it; it may contain credentials: mask it
    std::string source;          ///< "FILE:LINE", "environment variable NAME" or "default"
    bool is_value_known = true;  ///< false: a reader asked for the key and never said what it made of it, a bug
};

/// Every key that the readers of a configuration asked for, in the order of the questions. It is filled in while the
/// file is read, so no key can be missing here that has an effect.
class EffectiveSettings {
  public:
    /// A reader asked for the key. `place`: where the file has it; "": nowhere, so that an earlier file's place, else
    /// "default", stays.
    void asked_for(const std::string& key, const std::string& place);
    void set_value(const std::string& key, std::string value);
    /// A value that comes from elsewhere, such as an environment variable.
    void set(const std::string& key, std::string value, std::string source);

    [[nodiscard]] const std::vector<EffectiveSetting>& all() const { return settings_; }

  private:
    EffectiveSetting& at(const std::string& key);

    std::vector<EffectiveSetting> settings_;
    std::map<std::string, std::size_t, std::less<>> places_;
};

/// As a file would have it on one line: quoted if it is empty or has blanks at its ends or control characters.
[[nodiscard]] std::string shown_value(std::string_view text);
/// "[a, b]"
[[nodiscard]] std::string shown_list(const std::vector<std::string>& items);
/// "{a: b, c: d}"
[[nodiscard]] std::string shown_map(const std::map<std::string, std::string>& entries);

}  // namespace trebuchet
