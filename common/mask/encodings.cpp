#include "common/mask/form_list.hpp"
#include "common/mask/rewriting.hpp"

#include <algorithm>
#include <array>

namespace trebuchet {
namespace {

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Without padding.
WipedString base64_of(std::string_view bytes) {
    auto out = off_stack(bytes.size() / 3 * 4 + 4);
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : bytes) {
        bits = bits << 8U | static_cast<unsigned char>(c);
        for (count += 8; count >= 6; count -= 6) out += base64_alphabet[bits >> (count - 6) & 0x3FU];
    }
    if (count > 0) out += base64_alphabet[bits << (6 - count) & 0x3FU];
    return out;
}

WipedString url_safe(std::string_view base64) {
    auto out = off_stack(base64.size());
    out += base64;
    std::replace(out.begin(), out.end(), '+', '-');
    std::replace(out.begin(), out.end(), '/', '_');
    return out;
}

void add_base64(FormList& forms, std::string_view base64) {
    forms.add(Form::base64, base64);
    forms.add(Form::base64, url_safe(base64));
}

WipedString percent_encoded(std::string_view text, std::string_view safe, HexCase letters, bool plus) {
    auto out = off_stack(3 * text.size());
    for (const char c : text) {
        if (is_alphanumeric(c) || safe.find(c) != std::string_view::npos) {
            out += c;
        } else if (plus && c == ' ') {
            out += '+';
        } else {
            out += '%';
            append_hex(out, static_cast<unsigned char>(c), 2, letters);
        }
    }
    return out;
}

/// Base64 as escaped in JSON and URLs.
void add_escaped_base64(FormList& forms, std::string_view base64) {
    if (base64.find_first_of("+/") == std::string_view::npos) return;
    for (const auto letters : {HexCase::upper, HexCase::lower}) {
        forms.add(Form::base64, percent_encoded(base64, "", letters, false));
        forms.add(Form::base64, percent_encoded(base64, "/", letters, false));
    }
    forms.add(Form::base64, rewritten(base64, [](const Character& character, WipedString& out) {
                  if (!character.is_one_of("/")) return false;
                  out += "\\/";
                  return true;
              }));
}

void add_padded(FormList& forms, WipedString base64) {
    base64.append((4 - base64.size() % 4) % 4, '=');
    add_base64(forms, base64);
}

/// For base64 of a longer text that contains the value: at each of three alignments, the characters that depend only on
/// the value's bytes.
void add_base64_within_others(FormList& forms, std::string_view text) {
    auto shifted = off_stack(text.size() + 2);
    shifted += text;
    for (std::size_t before = 0; before < 3; ++before) {
        const auto base64 = base64_of(shifted);
        const auto begin = (8 * before + 5) / 6;
        const auto end = 8 * shifted.size() / 6;
        if (end > begin) add_base64(forms, std::string_view(base64).substr(begin, end - begin));
        shifted.insert(shifted.begin(), '\0');
    }
}

void add_all_base64(FormList& forms, std::string_view text) {
    if (text.size() >= shortest::base64) {
        add_padded(forms, base64_of(text));
        add_base64(forms, base64_of(text));
        add_escaped_base64(forms, base64_of(text));
        add_base64_within_others(forms, text);
    }
    if (text.size() > shortest::base64) return;
    auto line = off_stack(text.size() + 1);  // echo VALUE | base64
    line += text;
    line += '\n';
    add_padded(forms, base64_of(line));
}

/// Writes each byte as `prefix` and two hex digits.
WipedString all_hex(std::string_view prefix, std::string_view text) {
    auto out = off_stack((prefix.size() + 2) * text.size());
    for (const char c : text) {
        out += prefix;
        append_hex(out, static_cast<unsigned char>(c), 2, HexCase::lower);
    }
    return out;
}

/// Characters besides letters and digits that common encoders do not escape.
constexpr std::array<std::string_view, 15> url_safe_sets{
    "",
    "_",
    "-._~",                  // RFC 3986, most libraries
    "-._~/",                 // Python's quote()
    "-_.!~*'()",             // JavaScript's encodeURIComponent()
    "-_.!~*'();/?:@&=+$,#",  // JavaScript's encodeURI()
    "-_.!~*'();/?:@&=+$,[]",
    "@*_+-./",      // JavaScript's escape()
    "-_.!*()",      // .NET
    "$-_.+!*'(),",  // RFC 1738
    "-._~:/",
    "-._~/:@",
    "-._~$&+=:@",  // Go's PathEscape()
    "*-._",        // HTML forms, Java
    "-_.",         // older PHP
};

void add_percent_encoding(FormList& forms, std::string_view text) {
    if (text.size() <= longest_rare) forms.add_any_case(Form::percent, all_hex("%", text));
    if (std::all_of(text.begin(), text.end(), is_alphanumeric)) return;
    const bool has_blank = text.find(' ') != std::string_view::npos;
    for (const auto safe : url_safe_sets) {
        for (const auto letters : {HexCase::upper, HexCase::lower}) {
            forms.add(Form::percent, percent_encoded(text, safe, letters, false));
            if (has_blank) forms.add(Form::percent, percent_encoded(text, safe, letters, true));
        }
    }
}

}  // namespace

/// In UTF-16 each ASCII character has a zero byte before or after it. Without the zeros at both ends, both byte orders
/// are equal.
void add_utf16(FormList& forms, std::string_view text) {
    for (const bool big_endian : {true, false}) {
        const auto append = [big_endian](WipedString& out, char32_t unit) {
            const auto high = static_cast<char>(unit >> 8U & 0xFFU);
            const auto low = static_cast<char>(unit & 0xFFU);
            out += big_endian ? high : low;
            out += big_endian ? low : high;
        };
        const auto units = rewritten(text, [&append](const Character& character, WipedString& out) {
            append_as_utf16(character.code, [&](char32_t unit) { append(out, unit); });
            return true;
        });
        std::string_view visible = units;
        if (visible.front() == '\0') visible.remove_prefix(1);
        if (visible.back() == '\0') visible.remove_suffix(1);
        forms.add(Form::utf16, visible);
    }
}

/// Writes each byte as a backslash and three octal digits.
WipedString all_octal(std::string_view text) {
    auto out = off_stack(4 * text.size());
    for (const char c : text) {
        out += '\\';
        append_number(out, static_cast<unsigned char>(c), 8, 3);
    }
    return out;
}

void add_encodings(FormList& forms, std::string_view text) {
    add_all_base64(forms, text);
    if (2 * text.size() >= shortest::hex) {
        forms.add_any_case(Form::hex, all_hex("", text));
        if (text.size() <= longest_rare) {
            for (const std::string_view between : {" ", ":"}) {
                const auto separated = all_hex(between, text);
                forms.add_any_case(Form::hex, std::string_view(separated).substr(1));
            }
        }
    }
    add_percent_encoding(forms, text);
    if (text.size() > longest_rare) return;
    forms.add_any_case(Form::c, all_hex("\\x", text));
    forms.add(Form::c, all_octal(text));
    add_utf16(forms, text);
}

}  // namespace trebuchet
