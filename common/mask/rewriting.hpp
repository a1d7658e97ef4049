#pragma once

#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <string_view>

namespace trebuchet {

/// The first character of a text, or its first byte where that is not UTF-8.
struct Character {
    std::string_view bytes;
    char32_t code = 0;  ///< of a character
    bool is_utf8 = false;

    [[nodiscard]] bool is_ascii() const { return is_utf8 && code < 0x80; }
    /// Whether it is ASCII and one of `set`.
    [[nodiscard]] bool is_one_of(std::string_view set) const {
        return is_ascii() && set.find(bytes.front()) != std::string_view::npos;
    }
};

/// `text` must not be empty.
[[nodiscard]] Character first_character(std::string_view text);

[[nodiscard]] bool is_alphanumeric(char c);

enum class HexCase { lower, upper };

/// At least `digits` digits, zeros in front.
void append_hex(WipedString& out, char32_t number, std::size_t digits, HexCase letters);
/// The same with digits of another base, 2 to 10.
void append_number(WipedString& out, char32_t number, unsigned base, std::size_t digits = 1);

/// Calls `append` with each unit that a character has in UTF-16.
template <typename Append>
void append_as_utf16(char32_t code, Append append) {
    if (code < 0x10000) {
        append(code);
    } else {
        append(0xD800 + ((code - 0x10000) >> 10U));
        append(0xDC00 + ((code - 0x10000) & 0x3FFU));
    }
}

/// An empty string whose bytes never lie in the object itself, where nothing would wipe them.
[[nodiscard]] inline WipedString off_stack(std::size_t size) {
    WipedString text;
    text.reserve(size + sizeof(WipedString));
    return text;
}

/// `text` with each character replaced by what `escape(character, out)` appends; if that returns false, left as it is.
template <typename Escape>
[[nodiscard]] WipedString rewritten(std::string_view text, Escape escape) {
    auto out = off_stack(2 * text.size());
    while (!text.empty()) {
        const auto character = first_character(text);
        if (!escape(character, out)) out += character.bytes;
        text.remove_prefix(character.bytes.size());
    }
    return out;
}

}  // namespace trebuchet
