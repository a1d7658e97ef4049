#include "common/mask/views/skeleton.hpp"

#include "common/mask/entity_names.hpp"
#include "common/mask/gap.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

/// A number at the start of a text.
struct Number {
    char32_t value = 0;
    std::size_t digits = 0;
};

Number number_at(std::string_view text, unsigned base, std::size_t most) {
    Number number;
    for (; number.digits < std::min(most, text.size()); ++number.digits) {
        const auto digit = hex_digit(text[number.digits]);
        if (digit < 0 || digit >= static_cast<int>(base)) break;
        number.value = number.value * base + static_cast<char32_t>(digit);
    }
    return number;
}

Escape byte_escape(std::size_t size, char32_t byte) {
    return {size, {static_cast<char>(byte)}, 1};
}

Escape character_escape(std::size_t size, char32_t code) {
    Escape escape{size, {}, 0};
    const auto add = [&](char32_t byte) { escape.bytes.at(escape.count++) = static_cast<char>(byte); };
    const auto add_rest = [&](unsigned bits) { add(0x80U | (code >> bits & 0x3FU)); };
    if (code < 0x80) {
        add(code);
    } else if (code < 0x800) {
        add(0xC0U | code >> 6U);
        add_rest(0);
    } else if (code < 0x10000) {
        add(0xE0U | code >> 12U);
        add_rest(6);
        add_rest(0);
    } else if (code < 0x110000) {
        add(0xF0U | code >> 18U);
        add_rest(12);
        add_rest(6);
        add_rest(0);
    } else {
        return {};
    }
    return escape;
}

/// \uXXXX, also as a pair; `text` begins at the u.
Escape unicode_escape(std::string_view text, std::size_t before) {
    if (text.size() > 1 && text[1] == '{') {
        const auto number = number_at(text.substr(2), 16, 6);
        const auto end = 2 + number.digits;
        if (number.digits == 0 || end >= text.size() || text[end] != '}') return {};
        return character_escape(before + end + 1, number.value);
    }
    const std::size_t digits = text[0] == 'U' ? 8 : 4;
    const auto number = number_at(text.substr(1), 16, digits);
    if (number.digits < digits) return {};
    const bool is_high = number.value >= 0xD800 && number.value < 0xDC00;
    const auto rest = text.substr(1 + digits);
    const auto slashes = std::min(rest.find_first_not_of('\\'), rest.size());
    if (is_high && slashes > 0 && slashes < rest.size() && rest[slashes] == 'u') {
        const auto low = number_at(rest.substr(slashes + 1), 16, 4);
        if (low.digits == 4 && low.value >= 0xDC00 && low.value < 0xE000) {
            return character_escape(before + 1 + digits + slashes + 5,
                                    0x10000 + ((number.value - 0xD800) << 10U) + (low.value - 0xDC00));
        }
    }
    return character_escape(before + 1 + digits, number.value);
}

/// However many backslashes there are, they are one that was escaped again and again.
Escape backslash_escape(std::string_view text) {
    const auto slashes = std::min(text.find_first_not_of('\\'), text.size());
    const auto rest = text.substr(slashes);
    if (rest.empty()) return {slashes, {}, 0};
    constexpr std::string_view names = "abefnrtv";
    constexpr std::string_view named = "\a\b\x1B\f\n\r\t\v";
    if (const auto name = names.find(rest[0]); name != std::string_view::npos) {
        return byte_escape(slashes + 1, static_cast<unsigned char>(named[name]));
    }
    if (rest[0] == 'u' || rest[0] == 'U') {
        if (const auto escape = unicode_escape(rest, slashes); escape.size > 0) return escape;
    }
    if (rest[0] == 'x') {
        const auto number = number_at(rest.substr(1), 16, 2);
        if (number.digits == 2) return byte_escape(slashes + 3, number.value);
    }
    if (is_octal(rest[0])) {
        const auto number = number_at(rest, 8, 3);
        return byte_escape(slashes + number.digits, number.value & 0xFFU);
    }
    return {slashes, {}, 0};
}

using EntityName = std::pair<std::string_view, char32_t>;

/// Names of ASCII characters and of those in ISO-8859-1.
const std::vector<EntityName>& entity_codes() {
    static const std::vector<EntityName> codes = [] {
        std::vector<EntityName> all{{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
        for (char32_t code = 1; code < 0x100; ++code) {
            const auto name = code < 0x80 ? html5_ascii_name(code) : html4_name(code);
            if (!name.empty()) all.emplace_back(name, code);
        }
        std::stable_sort(all.begin(), all.end(),
                         [](const EntityName& left, const EntityName& right) { return left.first < right.first; });
        return all;
    }();
    return codes;
}

Escape entity(std::string_view text) {
    const auto end = text.substr(0, longest_escape).find(';');
    if (end == std::string_view::npos || end < 3) return {};
    const auto name = text.substr(1, end - 1);
    if (name[0] == '#') {
        const bool hex = name.size() > 2 && (name[1] | 0x20) == 'x';
        const auto digits = name.substr(hex ? 2 : 1);
        const auto number = number_at(digits, hex ? 16 : 10, 8);
        if (number.digits == 0 || number.digits != digits.size()) return {};
        return character_escape(end + 1, number.value);
    }
    const auto& codes = entity_codes();
    const auto place =
        std::lower_bound(codes.begin(), codes.end(), name,
                         [](const EntityName& one, std::string_view other) { return one.first < other; });
    return place != codes.end() && place->first == name ? character_escape(end + 1, place->second) : Escape{};
}

Escape percent_escape(std::string_view text) {
    const auto number = number_at(text.substr(1), 16, 2);
    return number.digits == 2 ? byte_escape(3, number.value) : Escape{};
}

/// Of quoted-printable. `=ab` is more often something else, so only what a value needs to have escaped counts.
Escape equals_escape(std::string_view text) {
    if (text.size() > 1 && text[1] == '\n') return {2, {}, 0};
    if (text.size() > 2 && text[1] == '\r' && text[2] == '\n') return {3, {}, 0};
    const auto is_lower = [](char c) { return c >= 'a'; };
    if (text.size() < 3 || is_lower(text[1]) || is_lower(text[2])) return {};
    const auto number = number_at(text.substr(1), 16, 2);
    const auto code = number.value;
    if (number.digits < 2) return {};
    if (code == '=' || code == '\n' || code == '\r' || code == '\t' || code == ' ') return byte_escape(3, code);
    const bool is_beside = text.size() > 3 && text[3] == '=';
    const bool is_utf16 = code == 0 && (is_beside || (text.size() > 4 && text[4] == '='));
    return is_utf16 || (code >= 0x80 && is_beside) ? byte_escape(3, code) : Escape{};
}

/// In a skeleton these are left out.
bool is_dropped(char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\'' || c == '"' || c == '`' || c == '\\' || c == '\x7F';
}

struct Dropped {
    std::array<bool, 256> member{};
    Dropped() {
        for (unsigned c = 0; c < 256; ++c) member.at(c) = is_dropped(static_cast<char>(c));
    }
};
const Dropped dropped;

/// How many bytes to leave out at the start of `text`.
std::size_t dropped_size(std::string_view text) {
    if (text[0] == '\x1B') return std::max<std::size_t>(gap_at(text, 0, GapKind::bare).size(), 1);
    return dropped.member[static_cast<unsigned char>(text[0])] ? 1 : 0;
}

bool may_become_equals_escape(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto is_digit = [&](std::size_t i) {
        return i >= text.size() || digits.find(text[i]) != std::string_view::npos;
    };
    if (text.size() < 3) return (text.size() == 2 && text[1] == '\r') || is_digit(1);
    const bool needs_more = text.substr(1, 2) == "00" || text[1] >= '8';
    return needs_more && text.size() < 5 && is_digit(1) && is_digit(2);
}

bool is_in_entity(char c) {
    return c == '#' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/// Where an escape begins that the text's end interrupts; the text's size if none does.
std::size_t complete_end(std::string_view text) {
    const auto behind_slashes = text.find_last_not_of('\\', text.size() - 1);
    if (behind_slashes == std::string_view::npos) return 0;
    if (behind_slashes + 1 < text.size()) return behind_slashes + 1;
    for (auto i = text.size() - std::min(text.size(), longest_escape); i < text.size(); ++i) {
        const auto rest = text.substr(i);
        const auto digits = std::min(rest.find_first_not_of("0123456789abcdefABCDEF{", 2), rest.size());
        if (rest[0] == '%' && rest.size() < 3) return i;
        if (rest[0] == '=' && may_become_equals_escape(rest)) return i;
        if (rest[0] == '&' && std::all_of(rest.begin() + 1, rest.end(), is_in_entity)) return i;
        const bool is_number =
            rest.size() > 1 && (rest[1] == 'u' || rest[1] == 'U' || rest[1] == 'x' || is_octal(rest[1]));
        const std::size_t most = rest.size() > 1 && rest[1] == 'x' ? 4 : (is_octal(rest[1 % rest.size()]) ? 4 : 10);
        if (rest[0] == '\\' && is_number && digits == rest.size() && rest.size() < most) {
            return text.find_last_not_of('\\', i) + 1;
        }
    }
    return text.size();
}

/// The same for terminal sequences.
std::size_t complete_sequences_end(std::string_view text) {
    const auto tail = text.size() - std::min(text.size(), longest_gap);
    const auto escape = text.rfind('\x1B');
    if (escape == std::string_view::npos || escape < tail) return text.size();
    return gap_at(text, escape, GapKind::bare).state == Gap::State::unfinished ? escape : text.size();
}

struct Unescaped {
    bool again;  ///< what was written may hold more escapes
    bool cut;    ///< an escape at the end is not complete
};

/// Appends [begin, end) without the escapes of one level.
Unescaped unescape_once(const Source& source, std::size_t begin, std::size_t end, PieceWriter& writer) {
    const auto whole = end;
    if (source.open && end == source.text.size() && end > begin) {
        end = begin + complete_end(source.text.substr(begin, end - begin));
    }
    const auto text = source.text.substr(0, end);
    // UTF-16 comes apart first: an escape in it has NULs between its characters.
    const bool nuls = text.find('\0', begin) != std::string_view::npos;
    bool again = nuls;
    auto plain = begin;
    for (auto i = begin; i < end;) {
        if (nuls ? text[i] != '\0' : !may_begin_escape(text[i])) {
            ++i;
            continue;
        }
        const auto escape = escape_at(text.substr(i));
        if (escape.size == 0) {
            ++i;
            continue;
        }
        writer.add_unchanged(plain, i);
        again = again || (text[i] == '=' && escape.count == 0);
        for (std::size_t k = 0; k < escape.count; ++k) {
            writer.add(escape.bytes.at(k), i, i + escape.size);
            again = again || may_begin_escape(escape.bytes.at(k)) ||
                    (is_line_end(escape.bytes.at(k)) && i > begin && text[i - 1] == '=');
        }
        i += escape.size;
        plain = i;
    }
    writer.add_unchanged(plain, end);
    return {again, end < whole};
}

/// More levels are escaped only by somebody who means to.
constexpr int most_rounds = 8;

}  // namespace

bool is_in_skeleton(char c) {
    return !dropped.member[static_cast<unsigned char>(c)];
}

Escape escape_at(std::string_view text) {
    switch (text[0]) {
        case '\\':
            return backslash_escape(text);
        case '%':
            return percent_escape(text);
        case '&':
            return entity(text);
        case '=':
            return equals_escape(text);
        case '\0':  // of UTF-16
            return {1, {}, 0};
        default:
            return {};
    }
}

void append_unescaped(const Source& source, std::size_t begin, std::size_t end, DerivedText& out) {
    PieceWriter first(source, out, Piece::Kind::unescaped, Form::c);
    auto state = unescape_once(source, begin, end, first);
    const auto most_shown = [&state] { return state.cut ? std::size_t{0} : Piece::usually_shown; };
    const bool has_piece = first.size() > 0;
    first.finish(source.open && end == source.text.size(), 1, most_shown());
    if (!has_piece || !state.again) return;  // usually
    DerivedText level;
    out.move_last_piece(level);
    for (int round = 0; state.again && !level.empty() && round < most_rounds; ++round) {
        const auto& piece = level.pieces().front();
        const Source before{level.text_of(piece), &level.place(0), &piece, piece.open};
        DerivedText next;
        PieceWriter writer(before, next, Piece::Kind::unescaped, piece.form);
        state = unescape_once(before, 0, before.text.size(), writer);
        writer.finish(piece.open, 1, most_shown());
        level = std::move(next);
    }
    if (level.empty()) return;
    const auto& piece = level.pieces().front();
    const Source whole{level.text_of(piece), &level.place(0), &piece, piece.open};
    PieceWriter writer(whole, out, Piece::Kind::unescaped, piece.form);
    writer.add_unchanged(0, whole.text.size());
    writer.finish(piece.open, 1);
}

void append_skeleton(const Source& source, DerivedText& out) {
    PieceWriter writer(source, out, Piece::Kind::skeleton, Form::c);
    const auto text = source.text.substr(0, source.open ? complete_sequences_end(source.text) : source.text.size());
    std::size_t plain = 0;
    for (std::size_t i = 0; i < text.size();) {
        const auto size = dropped_size(text.substr(i));
        if (size == 0) {
            ++i;
            continue;
        }
        writer.add_unchanged(plain, i);
        i += size;
        plain = i;
    }
    if (plain == 0 && text.size() == source.text.size()) return;
    writer.add_unchanged(plain, text.size());
    writer.finish(source.open, 1);
}

WipedString skeleton_of(std::string_view value) {
    DerivedText unescaped;
    append_unescaped({value}, 0, value.size(), unescaped);
    WipedString skeleton;
    if (unescaped.empty()) return skeleton;
    const auto text = unescaped.text_of(unescaped.pieces().front());
    skeleton.reserve(text.size() + sizeof(WipedString));
    for (std::size_t i = 0; i < text.size();) {
        const auto size = dropped_size(text.substr(i));
        if (size == 0) skeleton += text[i];
        i += std::max<std::size_t>(size, 1);
    }
    return skeleton;
}

}  // namespace trebuchet
