#pragma once

#include "common/mask/views/derived_text.hpp"
#include "common/secret/secret_string.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace trebuchet {

/// Escapes of many languages are not told apart. A text is unescaped with all of them, and then reduced to its
/// skeleton: without quotes, backslashes, blanks, line ends, control characters and terminal sequences. The same is
/// done with each value, and skeletons are compared. So any nesting of JSON, C, shell, HTML, percent-encoding and
/// quoted-printable is found, and whoever adds an escape needs not say in which language.
///
/// Example: "it\\u0027s \n ok" and it&#39;s%20ok both have the skeleton itsok.

/// The longest escape, in bytes: &#x0010FFFF; or \U0010FFFF. An unfinished one at the end of a text may be this long.
constexpr std::size_t longest_escape = 12;

/// An escape and what it stands for.
struct Escape {
    std::size_t size = 0;  ///< in the text; 0: none
    std::array<char, 4> bytes{};
    std::size_t count = 0;  ///< of `bytes`
};

/// The escape at the start of `text`: \n \" \u0041 \x41 \101 %41 &lt; &#65; =3D, = before a line end.
[[nodiscard]] Escape escape_at(std::string_view text);

/// True for the first character of an escape, and for NUL (UTF-16).
[[nodiscard]] inline bool may_begin_escape(char c) {
    return c == '\\' || c == '%' || c == '&' || c == '=' || c == '\0';
}

/// False for what is left out of skeletons.
[[nodiscard]] bool is_in_skeleton(char c);

/// Appends what [begin, end) of the source is without escapes, until no escape is left.
void append_unescaped(const Source& source, std::size_t begin, std::size_t end, DerivedText& out);

/// Appends the skeleton of a source whose escapes are replaced already; nothing if it is equal to the source.
void append_skeleton(const Source& source, DerivedText& out);

/// Of a value.
[[nodiscard]] WipedString skeleton_of(std::string_view value);

}  // namespace trebuchet
