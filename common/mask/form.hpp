#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace trebuchet {

/// The ways in which a value may be printed.
enum class Form : std::uint8_t {
    exact,      ///< unchanged
    trimmed,    ///< without surrounding blanks, line ends and quotes
    line,       ///< one line of a value with several lines
    joined,     ///< its lines with other line ends, with blanks instead of line ends, or concatenated
    json_leaf,  ///< a string within a value that is JSON
    utf16,      ///< unchanged, two bytes per character
    base64,     ///< at each of three alignments, both alphabets
    hex,        ///< digits in either case
    percent,    ///< as in URLs, also with `+` for blanks
    json,       ///< escaped as in JSON and JavaScript
    entities,   ///< escaped as in XML and HTML
    shell,      ///< quoted as shells do
    python,     ///< repr() and ascii(), of bytes too
    c,          ///< escaped as in C, Go, strace, systemd
    doubled,    ///< `$`, `%`, quotes or backslashes doubled
};

/// Names for messages; the index is the form's value.
constexpr std::array<std::string_view, 15> form_names{"as it is",
                                                      "without blanks and quotes around it",
                                                      "its lines",
                                                      "its lines joined or indented",
                                                      "the strings in its JSON",
                                                      "UTF-16",
                                                      "base64",
                                                      "hex",
                                                      "percent-encoding",
                                                      "JSON escapes",
                                                      "XML and HTML entities",
                                                      "shell quoting",
                                                      "Python repr",
                                                      "C escapes",
                                                      "doubled characters"};
constexpr std::size_t form_count = form_names.size();

[[nodiscard]] constexpr std::string_view name_of(Form form) {
    return form_names.at(static_cast<std::size_t>(form));
}

}  // namespace trebuchet
