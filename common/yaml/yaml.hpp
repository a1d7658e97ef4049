#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet {

/// A position in the text. Lines and columns (in bytes) count from 1; 0: no position.
struct YamlPosition {
    int line = 0;
    int column = 0;
};

/// A problem at a position: "found …, expected …".
struct YamlProblem {
    YamlPosition at;
    std::string text;
    /// "file:line:col: text"
    [[nodiscard]] std::string message(std::string_view file) const;
};

template <typename T>
using YamlResult = tl::expected<T, YamlProblem>;

enum class YamlKind { null, scalar, sequence, map };

/// The type that PyYAML's safe_load (YAML 1.1) gives a scalar: `yes` is a boolean; `0x10`, `1_000` and `12:30` are
/// integers.
enum class YamlType { null, boolean, integer, floating, timestamp, string };

struct YamlEntry;

/// A node of the tree. Aliases and merge keys (`<<`) are already expanded.
struct YamlNode {
    YamlKind kind = YamlKind::null;
    YamlPosition at;
    std::string text;                ///< of a scalar, valid UTF-8; may contain NUL, from an escape
    bool was_quoted = false;         ///< quoted, a block scalar or !!str: always a string
    std::vector<YamlNode> items;     ///< of a sequence
    std::vector<YamlEntry> entries;  ///< of a map, in the file's order, without duplicate keys

    /// The value of `key`; null if this is not a map or does not have the key.
    [[nodiscard]] const YamlNode* find(std::string_view key) const;
    /// Type of a null or a scalar; `string` for other nodes.
    [[nodiscard]] YamlType type() const;

    /// Completes "found …": `"abc"`, `the number 5`, `a list`, `nothing`. Quotes the text, so do not use it for
    /// secrets.
    [[nodiscard]] std::string found() const;
    /// "found …, expected …" at this node.
    [[nodiscard]] YamlProblem expected(std::string_view what) const;

    /// The text of any scalar: 123 is "123". Refuses null and text with NUL.
    [[nodiscard]] YamlResult<std::string> as_string() const;
    /// A list of scalars that as_string accepts.
    [[nodiscard]] YamlResult<std::vector<std::string>> as_string_list() const;
    [[nodiscard]] YamlResult<std::int64_t> as_int() const;
    /// Accepts integers too.
    [[nodiscard]] YamlResult<double> as_number() const;
    [[nodiscard]] YamlResult<bool> as_bool() const;
    /// A number of seconds, 0 to 10⁹, fractions allowed.
    [[nodiscard]] YamlResult<std::chrono::milliseconds> as_seconds() const;
};

struct YamlEntry {
    std::string key;
    YamlPosition key_at;
    YamlNode value;
};

struct YamlDocument {
    YamlNode root;                      ///< null if the text is empty
    std::vector<YamlProblem> warnings;  ///< duplicate keys: the last one counts, as in PyYAML
};

/// Limits for untrusted text. Every use of an alias counts.
struct YamlLimits {
    std::size_t bytes = std::size_t{1024} * 1024;
    std::size_t depth = 100;
    std::size_t nodes = 100'000;
};

/// Parses one document of untrusted text. Refuses invalid YAML, a second document, invalid UTF-8, control characters,
/// unknown tags and anything beyond `limits`.
[[nodiscard]] YamlResult<YamlDocument> parse_yaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace trebuchet
