#include "common/mask/rewriting.hpp"

#include <array>

namespace trebuchet {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) {
    return static_cast<unsigned char>(text[i]);
}

/// Length of a character that begins with this byte; 0 if it is invalid.
std::size_t announced_size(unsigned first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first < 0xE0) return 2;
    if (first >= 0xE0 && first < 0xF0) return 3;
    return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

}  // namespace

Character first_character(std::string_view text) {
    const auto first = byte_at(text, 0);
    const auto size = announced_size(first);
    const Character single{text.substr(0, 1), first, size == 1};
    if (size <= 1 || size > text.size()) return single;
    char32_t code = first & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte_at(text, i) & 0xC0U) != 0x80U) return single;
        code = code << 6U | (byte_at(text, i) & 0x3FU);
    }
    static constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    if (code < least[size] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return single;
    return {text.substr(0, size), code, true};
}

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

void append_hex(WipedString& out, char32_t number, std::size_t digits, HexCase letters) {
    const auto* const alphabet = letters == HexCase::lower ? "0123456789abcdef" : "0123456789ABCDEF";
    while (digits < 8 && number >> (4 * digits) != 0) ++digits;
    for (auto i = digits; i > 0; --i) out += alphabet[number >> (4 * (i - 1)) & 0xFU];
}

void append_number(WipedString& out, char32_t number, unsigned base, std::size_t digits) {
    if (number >= base || digits > 1) append_number(out, number / base, base, digits > 1 ? digits - 1 : 1);
    out += static_cast<char>('0' + number % base);
}

}  // namespace trebuchet
