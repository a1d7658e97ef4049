#include "tests/common/mask/traced_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <stdexcept>

namespace trebuchet::test {
namespace {

Origin both(const Origin& left, const Origin& right) {
    if (left.first == left.last) return right;
    if (right.first == right.last || left.copy != right.copy) return left;
    return {std::min(left.first, right.first), std::max(left.last, right.last), left.copy};
}

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string number(unsigned value, unsigned base, std::size_t width, bool upper = false) {
    const std::string_view digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    std::string text;
    do text.insert(text.begin(), digits[value % base]);
    while ((value /= base) > 0);
    while (text.size() < width) text.insert(text.begin(), '0');
    return text;
}

unsigned byte_of(char c) {
    return static_cast<unsigned char>(c);
}

template <typename Escape>
TracedText each(const TracedText& text, Escape escape) {
    TracedText out;
    for (std::size_t i = 0; i < text.bytes.size(); ++i) out.add(escape(text.bytes[i]), text.origins[i]);
    return out;
}

TracedText in_groups(const TracedText& text, unsigned bits, std::string_view alphabet, std::size_t quantum) {
    TracedText out;
    std::uint64_t held = 0;
    unsigned count = 0;
    Origin before;
    for (std::size_t i = 0; i < text.bytes.size(); ++i) {
        held = held << 8U | byte_of(text.bytes[i]);
        bool first = count > 0;
        for (count += 8; count >= bits;) {
            count -= bits;
            const auto origin = first ? both(before, text.origins[i]) : text.origins[i];
            first = false;
            out.add(std::string(1, alphabet[held >> count & ((1U << bits) - 1)]), origin);
        }
        before = text.origins[i];
    }
    if (count > 0) out.add(std::string(1, alphabet[held << (bits - count) & ((1U << bits) - 1)]), before);
    while (out.bytes.size() % quantum != 0) out.add("=");
    return out;
}

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

TracedText hex(const TracedText& text, Draw& draw) {
    const bool upper = draw.one_in(3);
    static const std::vector<std::string> separators{"", "", "", ":", " ", "-"};
    const auto separator = draw.of(separators);
    TracedText out;
    for (std::size_t i = 0; i < text.bytes.size(); ++i) {
        if (i > 0) out.add(separator);
        out.add(number(byte_of(text.bytes[i]), 16, 2, upper), text.origins[i]);
    }
    return out;
}

TracedText percent(const TracedText& text, Draw& draw) {
    const bool all = draw.one_in(4);
    const bool upper = !draw.one_in(3);
    static const std::vector<std::string> sets{"-._~", "-._~/", "", "-_.!~*'()", "*-._"};
    const auto safe = draw.of(sets);
    return each(text, [&](char c) {
        const bool stays = !all && (is_alphanumeric(c) || safe.find(c) != std::string::npos);
        return stays ? std::string(1, c) : "%" + number(byte_of(c), 16, 2, upper);
    });
}

std::string json_of(char c, bool slashes, bool html) {
    static const std::map<char, std::string> named{{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"},
                                                   {'\r', "\\r"}, {'\t', "\\t"},  {'\b', "\\b"}};
    if (const auto name = named.find(c); name != named.end()) return name->second;
    if (slashes && c == '/') return "\\/";
    const bool escapes = byte_of(c) < 0x20 || (html && std::string_view("<>&'").find(c) != std::string_view::npos);
    return escapes ? "\\u" + number(byte_of(c), 16, 4) : std::string(1, c);
}

TracedText json(const TracedText& text, Draw& draw) {
    const bool slashes = draw.one_in(3);
    const bool html = draw.one_in(3);
    auto out = each(text, [&](char c) { return json_of(c, slashes, html); });
    TracedText document;
    document.add(R"({"key": ")");
    document.bytes += out.bytes;
    document.origins.insert(document.origins.end(), out.origins.begin(), out.origins.end());
    document.add("\"}");
    return document;
}

TracedText html(const TracedText& text, Draw& draw) {
    const auto numbers = draw.below(3);
    return each(text, [&](char c) -> std::string {
        static const std::map<char, std::string> named{
            {'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
        const auto name = named.find(c);
        if (name == named.end()) return std::string(1, c);
        if (numbers == 0) return "&#" + std::to_string(byte_of(c)) + ";";
        if (numbers == 1) return "&#x" + number(byte_of(c), 16, 1) + ";";
        return name->second;
    });
}

TracedText code(const TracedText& text, Draw& draw) {
    const auto kind = draw.below(5);
    return each(text, [&](char c) -> std::string {
        static const std::map<char, std::string> named{{'\n', "\\n"}, {'\r', "\\r"}, {'\t', "\\t"}, {'\\', "\\\\"}};
        if (kind == 0) return c == '\'' ? R"('\'')" : std::string(1, c);   // sh
        if (kind == 1) return c == '\'' ? R"('"'"')" : std::string(1, c);  // Python's shlex
        if (kind == 2 && byte_of(c) >= 0x20) {                             // printf %q
            return is_alphanumeric(c) || std::string_view("_-./:,+=@%").find(c) != std::string_view::npos
                       ? std::string(1, c)
                       : std::string("\\") + c;
        }
        if (const auto name = named.find(c); name != named.end()) return name->second;
        if (c == '"' || c == '\'') return std::string("\\") + c;
        if (byte_of(c) >= 0x20 && byte_of(c) < 0x7F) return std::string(1, c);
        return kind == 3 ? "\\x" + number(byte_of(c), 16, 2) : "\\" + number(byte_of(c), 8, 3);
    });
}

TracedText quoted_printable(const TracedText& text, Draw& /*draw*/) {
    TracedText out;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.bytes.size(); ++i) {
        const char c = text.bytes[i];
        const auto byte = byte_of(c);
        const auto shown = (byte >= 0x20 && byte < 0x7F && c != '=') || c == '\n' ? std::string(1, c)
                                                                                  : "=" + number(byte, 16, 2, true);
        if (column + shown.size() > 75 && c != '\n') {
            out.add("=\n");
            column = 0;
        }
        out.add(shown, text.origins[i]);
        column = c == '\n' ? 0 : column + shown.size();
    }
    return out;
}

TracedText utf16(const TracedText& text, Draw& draw) {
    const bool big = draw.one_in(3);
    return each(text, [&](char c) { return big ? std::string{'\0', c} : std::string{c, '\0'}; });
}

const std::vector<std::string> prefixes{
    "", "", "    ", "app-1  | ", "2024-05-06T07:08:09Z stdout F ", "May 06 07:08:09 host cloud-init[712]: ", "+"};

TracedText with_prefixes(const TracedText& text, const std::string& prefix) {
    TracedText out;
    for (std::size_t i = 0; i < text.bytes.size(); ++i) {
        if (i == 0 || text.bytes[i - 1] == '\n') out.add(prefix);
        out.add(text.bytes.substr(i, 1), text.origins[i]);
    }
    return out;
}

TracedText folded(const TracedText& text, std::size_t width, const std::string& end) {
    TracedText out;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.bytes.size(); ++i) {
        if (column == width) out.add(end);
        column = text.bytes[i] == '\n' ? 0 : column % width + 1;
        out.add(text.bytes.substr(i, 1), text.origins[i]);
    }
    return out;
}

/// As programs and log collectors do it: what base64, base32 or hex wrote is wrapped, and each line may get a prefix;
/// dumps get a prefix; other text is wrapped where the screen ends.
TracedText wrapped(const TracedText& text, Draw& draw) {
    static const std::vector<std::size_t> widths{60, 64, 70, 76, 20};
    static const std::vector<std::string> ends{"\n", "\n", "\r\n", " ", "\\n"};
    const bool is_run = text.bytes.find_first_not_of(std::string(base64_alphabet) + "-_=") == std::string::npos;
    if (!is_run && text.bytes.find('\n') != std::string::npos) return with_prefixes(text, draw.of(prefixes));
    if (!is_run) return folded(text, draw.of(widths), draw.one_in(3) ? "\r\n" : "\n");
    const bool is_value = text.bytes.size() == 0 || text.origins.front().last - text.origins.front().first == 1;
    const auto prefix = is_value ? "" : draw.of(prefixes);
    if (prefix.empty()) return folded(text, draw.of(widths), is_value ? "\n" : draw.of(ends));
    auto out = with_prefixes(folded(text, draw.of(widths), "\n"), prefix);
    out.add("\n");
    return out;
}

char printable(char c) {
    return byte_of(c) >= 0x20 && byte_of(c) < 0x7F ? c : '.';
}

/// Lines of 16 bytes: offset, hex, text. `group`: bytes per group.
TracedText columns(const TracedText& text, std::size_t group, std::string_view colon, std::string_view bar) {
    TracedText out;
    for (std::size_t i = 0; i < text.bytes.size(); i += 16) {
        out.add(number(static_cast<unsigned>(i), 16, 8));
        out.add(colon);
        for (std::size_t k = i; k < i + 16; ++k) {
            if ((k - i) % group == 0) out.add(" ");
            if (group == 1 && k - i == 8 && !bar.empty()) out.add(" ");
            const bool has = k < text.bytes.size();
            out.add(has ? number(byte_of(text.bytes[k]), 16, 2) : "  ", has ? text.origins[k] : Origin{});
        }
        out.add("  ");
        out.add(bar);
        for (std::size_t k = i; k < std::min(i + 16, text.bytes.size()); ++k) {
            auto origin = text.origins[k];
            ++origin.copy;
            out.add(std::string(1, printable(text.bytes[k])), origin);
        }
        out.add(bar);
        out.add("\n");
    }
    return out;
}

/// As od and hexdump without options print words: two bytes, the second one first.
TracedText swapped(const TracedText& text, unsigned base, std::size_t digits) {
    TracedText out;
    for (std::size_t i = 0; i < text.bytes.size(); i += 16) {
        out.add(number(static_cast<unsigned>(i), base == 8 ? 8 : 16, 7));
        for (std::size_t k = i; k < std::min(i + 16, text.bytes.size()); k += 2) {
            const bool has_next = k + 1 < text.bytes.size();
            const auto high = has_next ? byte_of(text.bytes[k + 1]) : 0U;
            const auto origin = has_next ? both(text.origins[k], text.origins[k + 1]) : text.origins[k];
            out.add(" ");
            out.add(number(high << 8U | byte_of(text.bytes[k]), base, digits), origin);
        }
        out.add("\n");
    }
    return out;
}

/// od -t x1, od -b, od -t u1
TracedText by_od(const TracedText& text, unsigned base, std::size_t digits, bool zeros) {
    TracedText out;
    for (std::size_t i = 0; i < text.bytes.size(); i += 16) {
        out.add(number(static_cast<unsigned>(i), 8, 7));
        for (std::size_t k = i; k < std::min(i + 16, text.bytes.size()); ++k) {
            auto shown = number(byte_of(text.bytes[k]), base, zeros ? digits : 1);
            out.add(std::string(digits + 1 - shown.size(), ' '));
            out.add(shown, text.origins[k]);
        }
        out.add("\n");
    }
    return out;
}

TracedText by_od_c(const TracedText& text) {
    TracedText out;
    for (std::size_t i = 0; i < text.bytes.size(); i += 16) {
        out.add(number(static_cast<unsigned>(i), 8, 7));
        for (std::size_t k = i; k < std::min(i + 16, text.bytes.size()); ++k) {
            const char c = text.bytes[k];
            auto shown = std::string(1, c);
            if (c == '\n')
                shown = "\\n";
            else if (c == '\0')
                shown = "\\0";
            else if (byte_of(c) < 0x20 || byte_of(c) >= 0x7F)
                shown = number(byte_of(c), 8, 3);
            out.add(std::string(4 - shown.size(), ' '));
            out.add(shown, text.origins[k]);
        }
        out.add("\n");
    }
    return out;
}

TracedText list(const TracedText& text, Draw& draw) {
    const bool decimal = draw.one_in(2);
    const bool breaks = draw.one_in(3);
    TracedText out;
    out.add("[");
    for (std::size_t i = 0; i < text.bytes.size(); ++i) {
        if (i > 0) out.add(breaks && i % 12 == 0 ? ",\n " : ", ");
        if (!decimal) out.add("0x");
        out.add(number(byte_of(text.bytes[i]), decimal ? 10 : 16, decimal ? 1 : 2), text.origins[i]);
    }
    out.add("]");
    return out;
}

TracedText dump(const TracedText& text, Draw& draw) {
    switch (draw.below(9)) {
        case 0:
            return columns(text, 1, " ", "|");  // hexdump -C
        case 1:
            return columns(text, 2, ":", "");  // xxd
        case 2:
            return columns(text, 1, ":", "");  // Linux, U-Boot
        case 3:
            return swapped(text, 16, 4);
        case 4:
            return swapped(text, 8, 6);
        case 5:
            return by_od(text, 16, 2, true);
        case 6:
            return by_od(text, 8, 3, true);
        case 7:
            return by_od_c(text);
        default:
            return list(text, draw);
    }
}

}  // namespace

void TracedText::add(std::string_view some, Origin origin) {
    bytes += some;
    origins.insert(origins.end(), some.size(), origin);
}

TracedText TracedText::value(std::string_view value) {
    TracedText text;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto place = static_cast<int>(i);
        text.add(value.substr(i, 1), {place, place + 1, 1});
    }
    return text;
}

std::vector<bool> TracedText::readable(const std::vector<bool>& is_left, std::size_t value_size) const {
    std::map<int, std::vector<bool>> hidden;
    for (std::size_t i = 0; i < origins.size(); ++i) {
        const auto& origin = origins[i];
        if (origin.first == origin.last) continue;
        auto& copy = hidden.try_emplace(origin.copy, value_size).first->second;
        if (is_left[i]) continue;
        for (auto k = origin.first; k < origin.last; ++k) copy[static_cast<std::size_t>(k)] = true;
    }
    std::vector<bool> readable(value_size);
    for (const auto& [copy, bytes_hidden] : hidden) {
        std::vector<bool> present(value_size);
        for (const auto& origin : origins) {
            if (origin.copy != copy) continue;
            for (auto k = origin.first; k < origin.last; ++k) present[static_cast<std::size_t>(k)] = true;
        }
        for (std::size_t k = 0; k < value_size; ++k) readable[k] = readable[k] || (present[k] && !bytes_hidden[k]);
    }
    return readable;
}

std::string Draw::text(std::size_t size, std::string_view letters) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += letters[below(letters.size())];
    return text;
}

const std::vector<Encoding>& encodings() {
    static const std::vector<Encoding> all{
        {"base64", [](const TracedText& text, Draw&) { return in_groups(text, 6, base64_alphabet, 4); }},
        {"base64url",
         [](const TracedText& text, Draw& draw) { return in_groups(text, 6, url_alphabet, draw.one_in(2) ? 4 : 1); }},
        {"base32",
         [](const TracedText& text, Draw&) { return in_groups(text, 5, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 8); }},
        {"hex", hex},
        {"percent", percent},
        {"json", json},
        {"html", html},
        {"code", code},
        {"quoted-printable", quoted_printable},
        {"utf16", utf16},
        {"wrapped", wrapped},
        {"dump", dump},
    };
    return all;
}

const Encoding& encoding(std::string_view name) {
    for (const auto& one : encodings()) {
        if (one.name == name) return one;
    }
    throw std::invalid_argument("no encoding " + std::string(name));
}

/// Aligns from both ends where it can: a piece between masks is searched from the last one's end on.
std::vector<bool> left_of(std::string_view text, std::string_view masked) {
    std::vector<bool> left(text.size());
    std::size_t position = 0;
    bool behind_mask = false;
    const auto is_mask = [](std::string_view some) {
        return some.size() == 10 && some.starts_with("**") && some.ends_with("**") &&
               some.substr(2, 6).find_first_not_of("0123456789abcdef") == std::string_view::npos;
    };
    for (std::size_t i = 0; i < masked.size();) {
        if (is_mask(masked.substr(i, 10))) {
            i += 10;
            behind_mask = true;
            continue;
        }
        auto end = i;
        while (end < masked.size() && !is_mask(masked.substr(end, 10))) ++end;
        const auto piece = masked.substr(i, end - i);
        auto place = end == masked.size() ? text.size() - std::min(text.size(), piece.size())
                                          : (behind_mask ? text.find(piece, position) : position);
        if (place == std::string_view::npos || text.substr(place, piece.size()) != piece) {
            throw std::logic_error("the masked text is not the text");
        }
        std::fill_n(left.begin() + static_cast<std::ptrdiff_t>(place), piece.size(), true);
        position = place + piece.size();
        i = end;
    }
    return left;
}

}  // namespace trebuchet::test
