#include "common/mask/form_list.hpp"
#include "common/mask/rewriting.hpp"

#include <algorithm>
#include <array>

namespace trebuchet {
namespace {

/// How an encoder writes.
struct JsonStyle {
    bool ascii_only;
    bool escapes_slash;
    /// Characters written as \u00.. to be safe in HTML.
    std::string_view html;
    HexCase letters;
    HexCase html_letters;
};

void append_unit(WipedString& out, char32_t unit, HexCase letters) {
    out += "\\u";
    append_hex(out, unit, 4, letters);
}

/// Appends \u escapes of the character's UTF-16 units.
void append_units(WipedString& out, char32_t code, HexCase letters) {
    append_as_utf16(code, [&](char32_t unit) { append_unit(out, unit, letters); });
}

WipedString json_escaped(std::string_view text, const JsonStyle& style) {
    return rewritten(text, [&style](const Character& character, WipedString& out) {
        static constexpr std::string_view named = "\"\\\b\f\n\r\t/";
        static constexpr std::string_view names = "\"\\bfnrt/";
        if (!character.is_utf8) return false;
        const bool is_line_end_of_javascript = character.code == 0x2028 || character.code == 0x2029;
        const bool in_html = character.is_one_of(style.html) || (is_line_end_of_javascript && !style.html.empty());
        if (!in_html && character.is_one_of(named) && (style.escapes_slash || character.code != '/')) {
            out += '\\';
            out += names[named.find(character.bytes.front())];
        } else if (in_html) {
            append_units(out, character.code, style.html_letters);
        } else if (character.code < 0x20 || (style.ascii_only && character.code >= 0x7F)) {
            append_units(out, character.code, style.letters);
        } else {
            return false;
        }
        return true;
    });
}

/// Writes every character as \u escapes.
WipedString all_units(std::string_view text) {
    return rewritten(text, [](const Character& character, WipedString& out) {
        append_units(out, character.code, HexCase::lower);
        return true;
    });
}

}  // namespace

void add_json_escapes(FormList& forms, std::string_view text) {
    if (text.size() <= longest_rare) forms.add_any_case(Form::json, all_units(text));
    if (std::all_of(text.begin(), text.end(), is_alphanumeric)) return;
    static constexpr std::array<std::string_view, 9> html_sets{"",     "<>",    "<",      "'",         "<>&",
                                                               "<>&'", "<>&'=", "<>&'\"", "<>&'\"=-;`"};
    static constexpr std::array<std::array<HexCase, 2>, 3> letters{
        {{HexCase::lower, HexCase::lower}, {HexCase::upper, HexCase::upper}, {HexCase::lower, HexCase::upper}}};
    for (const auto html : html_sets) {
        for (const bool ascii_only : {false, true}) {
            for (const bool escapes_slash : {false, true}) {
                for (const auto& [own, of_html] : letters) {
                    forms.add(Form::json, json_escaped(text, {ascii_only, escapes_slash, html, own, of_html}));
                }
            }
        }
    }
    for (const bool ascii_only : {false, true}) {  // JSON within JSON
        const auto once = json_escaped(text, {ascii_only, false, "", HexCase::lower, HexCase::lower});
        forms.add(Form::json, json_escaped(once, {ascii_only, false, "", HexCase::lower, HexCase::lower}));
    }
}

void add_common_escapes(FormList& forms, std::string_view text) {
    for (const bool ascii_only : {false, true}) {
        for (const bool escapes_slash : {false, true}) {
            forms.add(Form::json, json_escaped(text, {ascii_only, escapes_slash, "", HexCase::lower, HexCase::lower}));
        }
    }
    forms.add(Form::json, json_escaped(text, {true, false, "<>&", HexCase::lower, HexCase::lower}));
    forms.add(Form::entities, xml_escaped(text));
}

}  // namespace trebuchet
