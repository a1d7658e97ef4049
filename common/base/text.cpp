#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace trebuchet {
namespace {

unsigned char at(std::string_view text, std::size_t index) {
    return static_cast<unsigned char>(text[index]);
}

bool is_continuation(unsigned char byte) {
    return (byte & 0xC0U) == 0x80U;
}

/// Length in bytes of a character that starts with `lead`; 0 if `lead` is invalid.
std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

/// Excludes overlong forms, surrogates and code points above U+10FFFF (RFC 3629, section 4).
bool is_allowed_second(unsigned char lead, unsigned char second) {
    if (lead == 0xE0) return second >= 0xA0 && second <= 0xBF;
    if (lead == 0xED) return second >= 0x80 && second <= 0x9F;
    if (lead == 0xF0) return second >= 0x90 && second <= 0xBF;
    if (lead == 0xF4) return second >= 0x80 && second <= 0x8F;
    return is_continuation(second);
}

/// Number of valid bytes of the character at `index`; equal to `length` if it is valid.
std::size_t valid_prefix(std::string_view text, std::size_t index, std::size_t length) {
    std::size_t valid = 1;
    while (valid < length && index + valid < text.size()) {
        const auto byte = at(text, index + valid);
        if (valid == 1 ? !is_allowed_second(at(text, index), byte) : !is_continuation(byte)) break;
        ++valid;
    }
    return valid;
}

/// Where the ASCII characters from `begin` on end, found eight at a time: most logs have nothing else.
std::size_t end_of_ascii(std::string_view text, std::size_t begin) {
    constexpr std::uint64_t high_bits = 0x8080808080808080;
    std::size_t end = begin;
    for (std::uint64_t word = 0; text.size() - end >= sizeof word; end += sizeof word) {
        std::memcpy(&word, text.data() + end, sizeof word);
        if ((word & high_bits) != 0) break;
    }
    while (end < text.size() && at(text, end) < 0x80) ++end;
    return end;
}

std::size_t edit_distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const auto replaced = diagonal + (left[i - 1] == right[j - 1] ? 0U : 1U);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

std::size_t incomplete_utf8_tail(std::string_view text) {
    const auto most = std::min<std::size_t>(3, text.size());
    for (std::size_t back = 1; back <= most; ++back) {
        const auto start = text.size() - back;
        if (is_continuation(at(text, start))) continue;
        const auto length = sequence_length(at(text, start));
        return length > back && valid_prefix(text, start, length) == back ? back : 0;
    }
    return 0;
}

std::string to_valid_utf8(std::string_view text) {
    static constexpr std::string_view replacement = "\xEF\xBF\xBD";
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const auto ascii_end = end_of_ascii(text, i);
        out.append(text.substr(i, ascii_end - i));
        i = ascii_end;
        if (i == text.size()) break;
        const auto length = sequence_length(at(text, i));
        const auto valid = length == 0 ? 1 : valid_prefix(text, i, length);
        if (valid == length) {
            out.append(text.substr(i, length));
        } else {
            out.append(replacement);
        }
        i += valid;
    }
    return out;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const auto& candidate : candidates) {
        const auto distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

std::string quoted(std::string_view text, std::size_t limit) {
    std::string out = "\"";
    const auto shown = text.substr(0, limit);
    for (const char c :
         shown.substr(0, shown.size() - (shown.size() < text.size() ? incomplete_utf8_tail(shown) : 0))) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7F) {
            std::array<char, 8> escaped{};
            std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned>(byte));
            out += escaped.data();
        } else {
            out += c;
        }
    }
    out += '"';
    if (shown.size() < text.size()) out += "…";
    return out;
}

}  // namespace trebuchet
