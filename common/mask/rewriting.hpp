#pragma once

#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <string_view>

namespace trebuchet {

/// A character, or one byte of invalid UTF-8.
struct Character {
    std::string_view bytes;
    char32_t code = 0;  ///< code point, if is_utf8
    bool is_utf8 = false;

    [[nodiscard]] bool is_ascii() const { return is_utf8 && code < 0x80; }
    /// True for an ASCII character in `set`.
    [[nodiscard]] bool is_one_of(std::string_view set) const {
        return is_ascii() && set.find(bytes.front()) != std::string_view::npos;
    }
};

/// `text` must not be empty.
[[nodiscard]] Character first_character(std::string_view text);

[[nodiscard]] bool is_alphanumeric(char c);

enum class HexCase { lower, upper };

/// Appends at least `digits` digits, with leading zeros.
void append_hex(WipedString& out, char32_t number, std::size_t digits, HexCase letters);
/// The same for a base of 2 to 10.
void append_number(WipedString& out, char32_t number, unsigned base, std::size_t digits = 1);

/// Calls `append` with each UTF-16 unit of the character.
template <typename Append>
void append_as_utf16(char32_t code, Append append) {
    if (code < 0x10000) {
        append(code);
    } else {
        append(0xD800 + ((code - 0x10000) >> 10U));
        append(0xDC00 + ((code - 0x10000) & 0x3FFU));
    }
}

/// An empty string with heap storage, because bytes in the object itself would not be wiped.
[[nodiscard]] inline WipedString off_stack(std::size_t size) {
    WipedString text;
    text.reserve(size + sizeof(WipedString));
    return text;
}

/// Rewrites each character with `escape(character, out)`, which appends to `out`; if it returns false, the character
/// stays unchanged.
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
