#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet {

/// Where something stands in the text. Both count from 1, columns in bytes; 0: nowhere in particular.
struct YamlPosition {
    int line = 0;
    int column = 0;
};

/// What is wrong at a place, as a sentence for a person: "found …, expected …".
struct YamlProblem {
    YamlPosition at;
    std::string text;
    /// "file:line:col: text"
    [[nodiscard]] std::string message(std::string_view file) const;
};

template <typename T>
using YamlResult = tl::expected<T, YamlProblem>;

enum class YamlKind { null, scalar, sequence, map };

/// What PyYAML's safe_load (YAML 1.1) makes of a scalar: `yes` is a boolean, `0x10` and `1_000` and `12:30` are
/// integers.
enum class YamlType { null, boolean, integer, floating, timestamp, string };

struct YamlEntry;

/// One node of the tree, with aliases and merge keys (`<<`) already replaced by what they stand for.
struct YamlNode {
    YamlKind kind = YamlKind::null;
    YamlPosition at;
    std::string text;                ///< of a scalar, valid UTF-8; may hold NUL by an escape
    bool was_quoted = false;         ///< quoted, a block scalar or !!str: a string whatever it looks like
    std::vector<YamlNode> items;     ///< of a sequence
    std::vector<YamlEntry> entries;  ///< of a map, in the file's order, no key twice

    /// The value of `key` if this is a map that has it, else null.
    [[nodiscard]] const YamlNode* find(std::string_view key) const;
    /// Type of a null or a scalar; `string` for the others.
    [[nodiscard]] YamlType type() const;

    /// What stands here, to follow "found": `"abc"`, `the number 5`, `a list`, `nothing`. Quotes the text: not for
    /// secrets.
    [[nodiscard]] std::string found() const;
    /// "found …, expected …" at this node.
    [[nodiscard]] YamlProblem expected(std::string_view what) const;

    /// The text of any scalar, quoted or not: 123 is "123". Refuses null, and NUL in the text.
    [[nodiscard]] YamlResult<std::string> as_string() const;
    /// A list of what as_string takes.
    [[nodiscard]] YamlResult<std::vector<std::string>> as_string_list() const;
    [[nodiscard]] YamlResult<std::int64_t> as_int() const;
    /// Integers too.
    [[nodiscard]] YamlResult<double> as_number() const;
    [[nodiscard]] YamlResult<bool> as_bool() const;
    /// A number of seconds, 0 or more, fractions allowed.
    [[nodiscard]] YamlResult<std::chrono::milliseconds> as_seconds() const;
};

struct YamlEntry {
    std::string key;
    YamlPosition key_at;
    YamlNode value;
};

struct YamlDocument {
    YamlNode root;                      ///< null if the text is empty
    std::vector<YamlProblem> warnings;  ///< keys that stand twice in a map: the last one counts, as with PyYAML
};

/// Bounds on what a text may ask of us, aliases counted as often as they are used.
struct YamlLimits {
    std::size_t bytes = std::size_t{1024} * 1024;
    std::size_t depth = 100;
    std::size_t nodes = 100'000;
};

/// Parses one document. Anything may be in the text: what can't be parsed, a second document, text that is not UTF-8,
/// control characters, unknown tags and anything beyond `limits` is a problem.
[[nodiscard]] YamlResult<YamlDocument> parse_yaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace trebuchet
