#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace trebuchet {

/// The ways in which a value comes back.
enum class Form : std::uint8_t {
    exact,      ///< as it is
    trimmed,    ///< without the blanks, line ends and quotes around it
    line,       ///< one line of several
    joined,     ///< several lines with other line ends, blanks for line ends, or none
    json_leaf,  ///< a string in a value that is JSON
    utf16,      ///< as it is, two bytes a character
    base64,     ///< at each of three alignments, both alphabets
    hex,        ///< letters in either case
    percent,    ///< as in URLs, `+` for blanks too
    json,       ///< escaped as in JSON and JavaScript
    entities,   ///< escaped as in XML and HTML
    shell,      ///< quoted as shells do
    python,     ///< repr() and ascii(), of bytes too
    c,          ///< escaped as in C, Go, strace, systemd
    doubled,    ///< `$`, `%`, quotes or backslashes doubled
};

/// What people call them; the index is the form's value.
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
