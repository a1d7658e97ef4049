#include "common/mask/form_list.hpp"
#include "common/mask/rewriting.hpp"

#include <algorithm>

namespace trebuchet {
namespace {

constexpr std::string_view c_named = "\a\b\f\n\r\t\v\\";
constexpr std::string_view c_names = "abfnrtv\\";

bool is_printable(const Character& character) {
    return character.is_ascii() && character.code >= 0x20 && character.code != 0x7F;
}

enum class NonPrintable { octal, short_octal, hex, upper_hex, unicode, rust };

void append_bytes(WipedString& out, std::string_view bytes, NonPrintable style) {
    for (const char byte : bytes) {
        const auto number = static_cast<unsigned char>(byte);
        if (style == NonPrintable::octal || style == NonPrintable::short_octal) {
            out += '\\';
            append_number(out, number, 8, style == NonPrintable::octal ? 3 : 1);
        } else {
            out += "\\x";
            append_hex(out, number, 2, style == NonPrintable::upper_hex ? HexCase::upper : HexCase::lower);
        }
    }
}

void append_character(WipedString& out, const Character& character, NonPrintable style) {
    if (style == NonPrintable::rust && character.is_utf8) {
        out += "\\u{";
        append_hex(out, character.code, 1, HexCase::lower);
        out += '}';
    } else if (style == NonPrintable::unicode && character.is_utf8 && character.code >= 0x80) {
        const bool is_long = character.code >= 0x10000;
        out += is_long ? "\\U" : "\\u";
        append_hex(out, character.code, is_long ? 8 : 4, HexCase::lower);
    } else {
        append_bytes(out, character.bytes, style);
    }
}

/// `quotes`: which of " ' ? or blanks get a backslash. `keeps_utf8`: does not escape non-ASCII characters. `named`:
/// characters with a named escape, such as \n.
WipedString c_escaped(std::string_view text, std::string_view quotes, NonPrintable style, bool keeps_utf8,
                      std::string_view named = c_named) {
    return rewritten(text, [&](const Character& character, WipedString& out) {
        if (character.is_one_of(named)) {
            out += '\\';
            out += c_names[c_named.find(character.bytes.front())];
        } else if (character.is_one_of(quotes)) {
            out += '\\';
            out += character.bytes;
        } else if (is_printable(character) || (keeps_utf8 && character.is_utf8 && character.code >= 0x80)) {
            return false;
        } else {
            append_character(out, character, style);
        }
        return true;
    });
}

void add_c_escapes(FormList& forms, std::string_view text) {
    using enum NonPrintable;
    for (const std::string_view quotes : {"", "\"", "'", "\"'", "\"'?", " ", "\"$", "\"$@"}) {
        for (const auto style : {octal, short_octal, hex, upper_hex, unicode, rust}) {
            forms.add(Form::c, c_escaped(text, quotes, style, true));
            forms.add(Form::c, c_escaped(text, quotes, style, false));
            forms.add(Form::c, c_escaped(text, quotes, style, true, "\\"));
            forms.add(Form::c, c_escaped(text, quotes, style, false, "\\"));
        }
    }
}

/// As in systemd's unit names and in /proc/mounts.
void add_escaped_fields(FormList& forms, std::string_view text) {
    for (const auto style : {NonPrintable::hex, NonPrintable::octal}) {
        const std::string_view kept = style == NonPrintable::hex ? ":_." : "";
        forms.add(Form::c, rewritten(text, [&](const Character& character, WipedString& out) {
                      const bool is_kept = style == NonPrintable::hex
                                               ? is_alphanumeric(character.bytes.front()) || character.is_one_of(kept)
                                               : !character.is_one_of(" \t\n\\#");
                      if (is_kept) return false;
                      if (style == NonPrintable::hex && character.is_one_of("/")) {
                          out += '-';
                      } else {
                          append_bytes(out, character.bytes, style);
                      }
                      return true;
                  }));
    }
}

/// As cat -v prints it, or cat -A with `all`.
WipedString shown_by_cat(std::string_view text, bool all) {
    auto out = off_stack(4 * text.size());
    for (const char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (c == '\n' || (c == '\t' && !all)) {
            if (all) out += '$';
            out += c;
            continue;
        }
        if (byte >= 0x80) {
            out += "M-";
            byte &= 0x7FU;
        }
        if (byte < 0x20 || byte == 0x7F) {
            out += '^';
            byte ^= 0x40U;
        }
        out += static_cast<char>(byte);
    }
    return out;
}

WipedString quoted_printable(std::string_view text) {
    auto out = off_stack(3 * text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte >= 0x20 && byte < 0x7F && c != '=') || c == '\n' || c == '\t') {
            out += c;
        } else {
            out += '=';
            append_hex(out, byte, 2, HexCase::upper);
        }
    }
    return out;
}

/// As PyYAML writes it in double quotes.
WipedString yaml_escaped(std::string_view text) {
    return rewritten(text, [](const Character& character, WipedString& out) {
        static constexpr std::string_view named = "\"\\\a\b\t\n\v\f\r\x1B";
        static constexpr std::string_view names = "\"\\abtnvfre";
        if (character.is_one_of(named)) {
            out += '\\';
            out += names[named.find(character.bytes.front())];
        } else if (is_printable(character) || !character.is_utf8) {
            return false;
        } else {
            const bool is_short = character.code < 0x100;
            const bool is_long = character.code >= 0x10000;
            out += is_short ? "\\x" : is_long ? "\\U" : "\\u";
            append_hex(out, character.code, is_short ? 2 : is_long ? 8 : 4, HexCase::upper);
        }
        return true;
    });
}

enum class Python { text, ascii, bytes };

WipedString python_repr(std::string_view text, Python kind, bool escapes_apostrophe) {
    return rewritten(text, [&](const Character& character, WipedString& out) {
        static constexpr std::string_view named = "\n\r\t\\";
        static constexpr std::string_view names = "nrt\\";
        if (character.is_one_of(named)) {
            out += '\\';
            out += names[named.find(character.bytes.front())];
        } else if (character.is_one_of("'") && escapes_apostrophe) {
            out += "\\'";
        } else if (is_printable(character) || (kind == Python::text && character.is_utf8 && character.code >= 0xA1)) {
            return false;
        } else if (kind == Python::bytes || !character.is_utf8) {
            append_bytes(out, character.bytes, NonPrintable::hex);
        } else if (character.code < 0x100) {
            out += "\\x";
            append_hex(out, character.code, 2, HexCase::lower);
        } else {
            append_character(out, character, NonPrintable::unicode);
        }
        return true;
    });
}

void add_python(FormList& forms, std::string_view text) {
    for (const auto kind : {Python::text, Python::ascii, Python::bytes}) {
        forms.add(Form::python, python_repr(text, kind, false));
        forms.add(Form::python, python_repr(text, kind, true));
    }
}

void add_doubled(FormList& forms, std::string_view text) {
    for (const std::string_view set : {"$", "'", "\"", "%", "\\", "$'", "$\"", "$%", "'\\", "\"\\"}) {
        forms.add(Form::doubled, rewritten(text, [set](const Character& character, WipedString& out) {
                      if (!character.is_one_of(set)) return false;
                      out += character.bytes;
                      out += character.bytes;
                      return true;
                  }));
    }
}

}  // namespace

void add_escapes(FormList& forms, std::string_view text) {
    add_json_escapes(forms, text);
    add_entities(forms, text);
    add_shell_quoting(forms, text);
    if (std::all_of(text.begin(), text.end(), is_alphanumeric)) return;
    add_python(forms, text);
    add_c_escapes(forms, text);
    add_escaped_fields(forms, text);
    forms.add(Form::c, shown_by_cat(text, false));
    forms.add(Form::c, shown_by_cat(text, true));
    forms.add(Form::c, yaml_escaped(text));
    forms.add(Form::c, quoted_printable(text));
    add_doubled(forms, text);
}

}  // namespace trebuchet
