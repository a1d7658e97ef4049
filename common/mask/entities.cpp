#include "common/mask/entity_names.hpp"
#include "common/mask/form_list.hpp"
#include "common/mask/rewriting.hpp"

#include <algorithm>
#include <array>

namespace trebuchet {
namespace {

enum class Numbers { decimal, decimal_of_3, hex, hex_of_2, upper_hex };

void append_numeric(WipedString& out, char32_t code, Numbers numbers) {
    const bool is_decimal = numbers == Numbers::decimal || numbers == Numbers::decimal_of_3;
    out += is_decimal ? "&#" : "&#x";
    if (!is_decimal) {
        append_hex(out, code, numbers == Numbers::hex_of_2 ? 2 : 1,
                   numbers == Numbers::upper_hex ? HexCase::upper : HexCase::lower);
    } else {
        append_number(out, code, 10, numbers == Numbers::decimal_of_3 ? 3 : 1);
    }
    out += ';';
}

void append_named(WipedString& out, std::string_view name) {
    out += '&';
    out += name;
    out += ';';
}

/// How an encoder writes XML's five special characters, and what else it escapes.
struct EntityStyle {
    std::string_view quote;       ///< for `"`; empty: not escaped
    std::string_view apostrophe;  ///< for `'`; empty: not escaped
    std::string_view more;        ///< other characters that it escapes, as numbers
    Numbers numbers;
};

constexpr std::array<EntityStyle, 19> styles{{
    {"", "", "", Numbers::decimal},
    {"&quot;", "", "", Numbers::decimal},
    {"", "&apos;", "", Numbers::decimal},
    {"&quot;", "&apos;", "", Numbers::decimal},
    {"&quot;", "&#39;", "", Numbers::decimal},
    {"&quot;", "&#039;", "", Numbers::decimal},
    {"&quot;", "&#x27;", "", Numbers::upper_hex},
    {"", "&#39;", "", Numbers::decimal},
    {"", "&#039;", "", Numbers::decimal},
    {"", "&#x27;", "", Numbers::upper_hex},
    {"&#x22;", "&#x27;", "", Numbers::upper_hex},
    {"&#34;", "", "", Numbers::decimal},
    {"&#34;", "&#39;", "", Numbers::decimal},
    {"&#34;", "&#39;", "+", Numbers::decimal},  // Go's html/template
    {"&quot;", "&#x27;", "/", Numbers::upper_hex},
    {"&quot;", "&#39;", "/`=", Numbers::upper_hex},
    {"&quot;", "&#x27;", "/`=", Numbers::upper_hex},
    {"", "", "\t\n\r", Numbers::decimal},  // attributes
    {"&quot;", "", "\t\n\r", Numbers::decimal},
}};

enum class Others { as_they_are, latin_named, named, named_or_numbered, numbered };

std::string_view name_outside_ascii(char32_t code, Others others) {
    const bool is_named = others == Others::named || others == Others::named_or_numbered ||
                          (others == Others::latin_named && code <= 0xFF);
    return is_named ? html4_name(code) : std::string_view();
}

WipedString with_named(std::string_view text, const EntityStyle& style, Others others) {
    return rewritten(text, [&](const Character& character, WipedString& out) {
        if (!character.is_utf8) return false;
        std::string_view entity;
        switch (character.code) {
            case '&':
                entity = "&amp;";
                break;
            case '<':
                entity = "&lt;";
                break;
            case '>':
                entity = "&gt;";
                break;
            case '"':
                entity = style.quote;
                break;
            case '\'':
                entity = style.apostrophe;
                break;
            default:
                break;
        }
        if (!entity.empty()) {
            out += entity;
        } else if (const auto name = name_outside_ascii(character.code, others); !name.empty()) {
            append_named(out, name);
        } else if (character.is_one_of(style.more) ||
                   ((others == Others::named_or_numbered || others == Others::numbered) && character.code >= 0x80)) {
            append_numeric(out, character.code, style.numbers);
        } else {
            return false;
        }
        return true;
    });
}

/// Writes each character that has an HTML name by that name.
WipedString all_named(std::string_view text) {
    return rewritten(text, [](const Character& character, WipedString& out) {
        const auto name = character.is_ascii() ? html5_ascii_name(character.code) : html4_name(character.code);
        if (!character.is_utf8 || name.empty()) return false;
        append_named(out, name);
        return true;
    });
}

enum class Which { of_xml, not_alphanumeric, all };

WipedString as_numbers(std::string_view text, Which which, Numbers numbers) {
    return rewritten(text, [&](const Character& character, WipedString& out) {
        const bool escape =
            which == Which::all || (which == Which::of_xml ? character.is_one_of("&<>\"'") || character.code >= 0x80
                                                           : !is_alphanumeric(character.bytes.front()));
        if (!escape || !character.is_utf8) return false;
        append_numeric(out, character.code, numbers);
        return true;
    });
}

}  // namespace

WipedString xml_escaped(std::string_view text) {
    return with_named(text, styles[1], Others::as_they_are);
}

void add_entities(FormList& forms, std::string_view text) {
    const bool rare_too = text.size() <= longest_rare;
    const bool alphanumeric = std::all_of(text.begin(), text.end(), is_alphanumeric);
    if (rare_too) {
        forms.add_any_case(Form::entities, as_numbers(text, Which::all, Numbers::hex));
        forms.add_any_case(Form::entities, as_numbers(text, Which::all, Numbers::hex_of_2));
        forms.add(Form::entities, as_numbers(text, Which::all, Numbers::decimal));
        if (!alphanumeric) forms.add(Form::entities, as_numbers(text, Which::all, Numbers::decimal_of_3));
    }
    if (alphanumeric) return;
    for (const auto which : {Which::of_xml, Which::not_alphanumeric}) {
        if (which == Which::not_alphanumeric && !rare_too) continue;
        for (const auto numbers : {Numbers::decimal, Numbers::hex, Numbers::upper_hex}) {
            forms.add(Form::entities, as_numbers(text, which, numbers));
        }
    }
    if (rare_too) forms.add(Form::entities, all_named(text));
    for (const auto& style : styles) {
        for (const auto others :
             {Others::as_they_are, Others::latin_named, Others::named, Others::named_or_numbered, Others::numbered}) {
            forms.add(Form::entities, with_named(text, style, others));
        }
        for (const auto numbers : {Numbers::decimal, Numbers::hex, Numbers::upper_hex}) {
            auto other = style;
            other.numbers = numbers;
            forms.add(Form::entities, with_named(text, other, Others::numbered));
        }
    }
}

}  // namespace trebuchet
