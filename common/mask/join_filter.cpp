#include "common/mask/join_filter.hpp"

#include <algorithm>
#include <array>
#include <bit>

// A Bloom filter for the question: does any literal contain these bytes next to each other?
//
//  1. For each literal and each place where a gap could be, the constructor adds the bytes around that place:
//     first    the gap is after the first byte: byte 0 | bytes 1 and 2
//     middle   two bytes before | two bytes after
//     last     the gap is before the last byte: two bytes before | the last byte
//  2. A query first looks up the pair of bytes next to the gap in pairs_, which is exact. Most gaps end here.
//  3. Then it looks up the three combinations in words_: a hash selects a word and two bits in it. Both bits must
//     be set.
//  4. Literals that match in either case are stored in lower case, and the query is repeated in lower case.
//
// Example: literal "hunter22". The text "hun", gap, "ter" gives left "un", right "t", further "e": the pair "nt" is in
// the literal, and "un|te" was added as a middle: maybe. The text "fun", gap, "Time": no literal has "nT": no.
namespace trebuchet {
namespace {

std::uint64_t byte_of(char c) {
    return static_cast<unsigned char>(c);
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
}

/// Two bits are set per entry, so at most one bit in 16 is set.
constexpr std::size_t bits_per_entry = 32;
constexpr std::size_t most_bits = std::size_t{1} << 24U;

}  // namespace

JoinFilter::JoinFilter(const LiteralTable& exact, const LiteralTable& any_case, std::size_t least) {
    std::size_t count = 0;
    for (const auto* table : {&exact, &any_case}) {
        for (std::uint32_t i = 0; i < table->size(); ++i) count += table->bytes(i).size();
    }
    const auto bits = std::bit_ceil(std::clamp<std::size_t>(count * bits_per_entry, 1024, most_bits));
    words_.resize(bits / 64);
    shift_ = static_cast<unsigned>(64 - std::bit_width(words_.size() - 1));
    any_case_ = any_case.size() > 0;
    for (const auto* table : {&exact, &any_case}) {
        for (std::uint32_t i = 0; i < table->size(); ++i) {
            if (table->bytes(i).size() >= least) add(table->bytes(i), table->any_case());
        }
    }
}

void JoinFilter::add_pair(char left, char right) {
    const auto pair = byte_of(left) << 8U | byte_of(right);
    pairs_[pair / 64] |= std::uint64_t{1} << (pair % 64);
}

void JoinFilter::add(std::string_view literal, bool any_case) {
    const auto size = literal.size();
    for (std::size_t i = 1; i < size; ++i) {
        const char left = literal[i - 1];
        const char right = literal[i];
        add_pair(left, right);
        if (!any_case) continue;
        add_pair(upper(left), right);
        add_pair(left, upper(right));
        add_pair(upper(left), upper(right));
    }
    add(Where::first, 0, literal[0], literal[1], literal[2]);
    for (std::size_t i = 2; i + 1 < size; ++i) {
        add(Where::middle, literal[i - 2], literal[i - 1], literal[i], literal[i + 1]);
    }
    add(Where::last, literal[size - 3], literal[size - 2], literal[size - 1], 0);
}

namespace {

struct Place {
    std::size_t word;
    std::uint64_t bits;
};

Place place_of(std::uint64_t key, unsigned shift) {
    const auto hash = key * 0x9E3779B97F4A7C15U;
    return {hash >> shift, std::uint64_t{1} << (hash >> 20U & 63U) | std::uint64_t{1} << (hash >> 26U & 63U)};
}

std::uint64_t key_of(std::uint64_t where, char before, char left, char right, char further) {
    return where << 32U | byte_of(before) << 24U | byte_of(left) << 16U | byte_of(right) << 8U | byte_of(further);
}

}  // namespace

void JoinFilter::add(Where where, char before, char left, char right, char further) {
    const auto place = place_of(key_of(static_cast<std::uint64_t>(where), before, left, right, further), shift_);
    words_[place.word] |= place.bits;
}

bool JoinFilter::may_join(Where where, char before, char left, char right, char further) const {
    const auto place = place_of(key_of(static_cast<std::uint64_t>(where), before, left, right, further), shift_);
    return (words_.data()[place.word] & place.bits) == place.bits;
}

bool JoinFilter::may_join_in(char before, bool has_before, char left, char right, char further) const {
    if (may_join(Where::first, 0, left, right, further)) return true;
    return has_before &&
           (may_join(Where::middle, before, left, right, further) || may_join(Where::last, before, left, right, 0));
}

bool JoinFilter::may_hold_end(std::string_view text, bool any_case) const {
    const auto last = text.substr(text.size() - 4);
    if (!has_pair(last[2], last[3]) || !has_pair(last[1], last[2]) || !has_pair(last[0], last[1])) return false;
    std::array<char, 4> end{};
    for (std::size_t i = 0; i < end.size(); ++i) {
        const char c = text[text.size() - end.size() + i];
        end[i] = any_case ? lower(c) : c;
    }
    return may_join(Where::middle, end[0], end[1], end[2], end[3]);
}

bool JoinFilter::has_all(std::string_view left, char right, char further) const {
    const bool has_before = left.size() > 1;
    const char before = has_before ? left[left.size() - 2] : '\0';
    const char last = left.back();
    if (may_join_in(before, has_before, last, right, further)) return true;
    if (!any_case_) return false;
    const bool folds =
        lower(before) != before || lower(last) != last || lower(right) != right || lower(further) != further;
    return folds && may_join_in(lower(before), has_before, lower(last), lower(right), lower(further));
}

}  // namespace trebuchet
