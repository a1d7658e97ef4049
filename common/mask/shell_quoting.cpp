#include "common/mask/form_list.hpp"
#include "common/mask/rewriting.hpp"

#include <algorithm>

namespace trebuchet {
namespace {

/// Puts `before` in front of each character of `set`.
WipedString escaped_with(std::string_view text, std::string_view before, std::string_view set) {
    return rewritten(text, [&](const Character& character, WipedString& out) {
        if (!character.is_one_of(set)) return false;
        out += before;
        out += character.bytes;
        return true;
    });
}

/// Puts `before` and `after` around each run of apostrophes (`runs`) or around each apostrophe.
WipedString with_apostrophes(std::string_view text, std::string_view before, std::string_view after, bool runs) {
    auto out = off_stack(2 * text.size());
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] != '\'') {
            out += text[i++];
            continue;
        }
        out += before;
        do {
            out += text[i++];
        } while (runs && i < text.size() && text[i] == '\'');
        out += after;
    }
    return out;
}

/// As bash's printf %q: escapes `~` and `#` only where they are special.
WipedString backslashed_as_bash(std::string_view text) {
    auto out = off_stack(2 * text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        static constexpr std::string_view always = " \t\n'\"\\|&;()<>!{}*[]?^$`,";
        const bool begins = i == 0 || text[i - 1] == ':' || text[i - 1] == '=';
        if (always.find(text[i]) != std::string_view::npos || (text[i] == '~' && begins) ||
            (text[i] == '#' && i == 0)) {
            out += '\\';
        }
        out += text[i];
    }
    return out;
}

/// As Ruby's Shellwords and others.
WipedString backslashed_unless_harmless(std::string_view text) {
    return rewritten(text, [](const Character& character, WipedString& out) {
        static constexpr std::string_view harmless = "_-.,:+/@\n";
        if (!character.is_ascii() || is_alphanumeric(character.bytes.front()) || character.is_one_of(harmless)) {
            return false;
        }
        out += '\\';
        out += character.bytes;
        return true;
    });
}

/// As Perl's quotemeta: escapes each byte except letters, digits and underscore.
WipedString backslashed_unless_word(std::string_view text) {
    auto out = off_stack(2 * text.size());
    for (const char c : text) {
        if (!is_alphanumeric(c) && c != '_') out += '\\';
        out += c;
    }
    return out;
}

/// As bash's set -x after `[[ … =`, in the locale's characters.
WipedString backslashed_each(std::string_view text, bool ascii_only) {
    auto out = off_stack(2 * text.size());
    while (!text.empty()) {
        const auto size = ascii_only ? 1 : first_character(text).bytes.size();
        out += '\\';
        out += text.substr(0, size);
        text.remove_prefix(size);
    }
    return out;
}

/// As ls and other GNU programs: in apostrophes, with unprintable characters between $' and '.
WipedString shell_escaped(std::string_view text, bool ascii_only) {
    static constexpr std::string_view named = "\a\b\t\n\v\f\r";
    static constexpr std::string_view names = "abtnvfr";
    auto out = off_stack(4 * text.size());
    bool in_dollar = false;
    while (!text.empty()) {
        const auto character = first_character(text);
        text.remove_prefix(character.bytes.size());
        const bool is_printable =
            character.is_ascii() ? character.code >= 0x20 && character.code != 0x7F : character.is_utf8 && !ascii_only;
        if (is_printable == in_dollar) {
            out += in_dollar ? "''" : "'$'";
            in_dollar = !is_printable;
        }
        if (character.is_one_of("'")) {
            out += "'\\''";
        } else if (is_printable) {
            out += character.bytes;
        } else if (character.is_one_of(named)) {
            out += '\\';
            out += names[named.find(character.bytes.front())];
        } else {
            for (const char byte : character.bytes) {
                out += '\\';
                append_number(out, static_cast<unsigned char>(byte), 8, 3);
            }
        }
    }
    return out;
}

enum class OutsideAscii { as_it_is, octal, hex };

/// The text between $' and '.
WipedString dollar_quoted(std::string_view text, std::string_view escape_character, OutsideAscii outside) {
    return rewritten(text, [&](const Character& character, WipedString& out) {
        static constexpr std::string_view named = "\a\b\t\n\v\f\r\\'";
        static constexpr std::string_view names = "abtnvfr\\'";
        if (character.is_one_of(named)) {
            out += '\\';
            out += names[named.find(character.bytes.front())];
        } else if (character.is_ascii() && character.code == 0x1B) {
            out += escape_character;
        } else if ((character.is_ascii() && (character.code < 0x20 || character.code == 0x7F)) || !character.is_utf8 ||
                   (!character.is_ascii() && outside != OutsideAscii::as_it_is)) {
            for (const char byte : character.bytes) {
                const auto number = static_cast<unsigned char>(byte);
                if (outside == OutsideAscii::hex) {
                    out += "\\x";
                    append_hex(out, number, 2, HexCase::lower);
                } else {
                    out += '\\';
                    append_number(out, number, 8, 3);
                }
            }
        } else {
            return false;
        }
        return true;
    });
}

/// If a value begins or ends with an apostrophe, the quotes next to it may be missing.
void add_with_apostrophes(FormList& forms, std::string_view text, std::string_view before, std::string_view after) {
    for (const bool runs : {false, true}) {
        const auto quoted = with_apostrophes(text, before, after, runs);
        std::string_view inner = quoted;
        forms.add(Form::shell, inner);
        if (text.front() == '\'') inner.remove_prefix(1);
        if (text.back() == '\'') inner.remove_suffix(1);
        forms.add(Form::shell, inner);
    }
}

}  // namespace

void add_shell_quoting(FormList& forms, std::string_view text) {
    if (text.size() <= longest_rare) {
        forms.add(Form::shell, backslashed_each(text, false));
        forms.add(Form::shell, backslashed_each(text, true));
    }
    if (std::all_of(text.begin(), text.end(), is_alphanumeric)) return;
    if (text.find('\'') != std::string_view::npos) {
        add_with_apostrophes(forms, text, "'\\", "'");
        add_with_apostrophes(forms, text, "'\"", "\"'");
    }
    forms.add(Form::shell, backslashed_as_bash(text));
    forms.add(Form::shell, backslashed_unless_harmless(text));
    forms.add(Form::shell, escaped_with(text, "\\", " "));
    forms.add(Form::shell, escaped_with(text, "\\", " \\"));
    forms.add(Form::shell, escaped_with(text, "\\", "\"\\$`"));
    forms.add(Form::shell, escaped_with(text, "\\", "\"\\$`!"));
    forms.add(Form::shell, escaped_with(text, "\\", "\"\\$@"));  // Perl
    forms.add(Form::shell, escaped_with(text, "\\", "'\"\\"));   // PHP
    forms.add(Form::shell, escaped_with(text, "\\", "'\\"));
    forms.add(Form::shell, escaped_with(text, "\\", "$^*()+{[\\|?."));  // bash's set -x behind =~
    forms.add(Form::shell, backslashed_unless_word(text));
    forms.add(Form::shell, shell_escaped(text, false));
    forms.add(Form::shell, shell_escaped(text, true));
    for (const auto* escape_character : {"\\E", "\\e", "\\033", "\\x1b"}) {
        for (const auto outside : {OutsideAscii::as_it_is, OutsideAscii::octal, OutsideAscii::hex}) {
            forms.add(Form::shell, dollar_quoted(text, escape_character, outside));
        }
    }
}

}  // namespace trebuchet
