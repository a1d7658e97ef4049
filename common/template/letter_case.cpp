#include "common/template/letter_case.hpp"

#include "common/base/text.hpp"

#include <cwctype>

#include <locale.h>
#include <wctype.h>

namespace trebuchet {
namespace {

constexpr wint_t sharp_s = 0xDF;

locale_t utf8() {
    static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return locale;
}

void append(WipedString& out, wint_t c) {
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xC0U | (c >> 6U));
        out += static_cast<char>(0x80U | (c & 0x3FU));
    } else if (c < 0x10000) {
        out += static_cast<char>(0xE0U | (c >> 12U));
        out += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (c & 0x3FU));
    } else {
        out += static_cast<char>(0xF0U | (c >> 18U));
        out += static_cast<char>(0x80U | ((c >> 12U) & 0x3FU));
        out += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (c & 0x3FU));
    }
}

/// The length of the character that starts here, in bytes: 1 for what is no valid character.
std::size_t length_of(std::string_view text, std::size_t at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    std::size_t length = 1;
    if (byte >= 0xC2 && byte < 0xE0) length = 2;
    if (byte >= 0xE0 && byte < 0xF0) length = 3;
    if (byte >= 0xF0 && byte < 0xF5) length = 4;
    if (at + length > text.size()) return 1;
    for (std::size_t i = 1; i < length; ++i) {
        if ((static_cast<unsigned char>(text[at + i]) & 0xC0U) != 0x80U) return 1;
    }
    return length;
}

wint_t character(std::string_view bytes) {
    const auto first = static_cast<unsigned char>(bytes[0]);
    if (bytes.size() == 1) return first;
    wint_t c = first & (0xFFU >> (bytes.size() + 1));
    for (std::size_t i = 1; i < bytes.size(); ++i) c = (c << 6U) | (static_cast<unsigned char>(bytes[i]) & 0x3FU);
    return c;
}

WipedString changed(std::string_view text, wint_t (*change)(wint_t, locale_t), bool to_upper) {
    WipedString out;
    for (std::size_t at = 0; at < text.size();) {
        const auto bytes = text.substr(at, length_of(text, at));
        at += bytes.size();
        const auto c = character(bytes);
        const bool is_ascii = bytes.size() == 1;
        if (is_ascii && c >= 0x80) {
            out += bytes[0];
        } else if (c == sharp_s && to_upper) {
            out += "SS";
        } else {
            append(out, change(c, utf8()));
        }
    }
    return out;
}

}  // namespace

WipedString upper_case(std::string_view text) {
    return changed(text, ::towupper_l, true);
}

WipedString lower_case(std::string_view text) {
    return changed(text, ::towlower_l, false);
}

}  // namespace trebuchet
