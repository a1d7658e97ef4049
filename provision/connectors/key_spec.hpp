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
    records,   ///< a list of names and values
    choice,    ///< one of `choices`
    value,     ///< anything
};

/// Declares a key of `default.yaml` or `provision_data`. `check` and `--help` use these declarations.
struct KeySpec {
    std::string_view name;
    KeyKind kind = KeyKind::text;
    std::string_view fallback;  ///< the default, as written in the file; "": none
    std::string_view help;      ///< one line: meaning and unit
    bool is_required = false;
    bool is_secret = false;                   ///< its value is never shown
    std::vector<std::string_view> choices{};  ///< for `choice`
};

struct ConnectorKeys {
    std::vector<KeySpec> config;          ///< keys of default.yaml
    std::vector<KeySpec> provision_data;  ///< keys of the job
};

/// The keys of every type.
[[nodiscard]] const ConnectorKeys& common_keys();

/// Completes "expected …": "a list of commands".
[[nodiscard]] std::string name_of(KeyKind kind);

}  // namespace trebuchet
