#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

enum class KeyKind {
    text,
    number,    ///< an integer
    port,      ///< 1 to 65535
    flag,      ///< true or false
    seconds,   ///< a number of seconds, 0 or more
    command,   ///< one command as text
    commands,  ///< a list of commands, or one as text
    map,       ///< names and values
    choice,    ///< one of `choices`
};

/// A key of `default.yaml` or of a job's `provision_data`, as data: for `check`, for the help, for tables.
struct KeySpec {
    std::string_view name;
    KeyKind kind = KeyKind::text;
    std::string_view fallback;  ///< the value where the key is missing, as one would write it; "": none
    std::string_view help;      ///< one line: what it means, units
    bool is_required = false;
    bool is_secret = false;                   ///< its value is never shown
    std::vector<std::string_view> choices{};  ///< of a `choice`
};

struct ConnectorKeys {
    std::vector<KeySpec> config;          ///< of default.yaml
    std::vector<KeySpec> provision_data;  ///< of the job
};

/// Those that every type has.
[[nodiscard]] const ConnectorKeys& common_keys();

/// "a list of commands", to follow "expected".
[[nodiscard]] std::string name_of(KeyKind kind);

}  // namespace trebuchet
