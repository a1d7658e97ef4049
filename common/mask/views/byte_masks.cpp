#include "common/mask/views/byte_masks.hpp"

#include "common/secret/secret_string.hpp"

#include <algorithm>
#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace trebuchet {
namespace {

constexpr std::size_t class_count = 13;

/// In the order of ByteMasks' members.
constexpr std::array<bool, class_count> classes_of(unsigned c) {
    const auto lower = c | 0x20U;
    const bool digit = c >= '0' && c <= '9';
    const bool letter = lower >= 'a' && lower <= 'z';
    const bool plain = digit || letter;
    const bool upper = c >= 'A' && c <= 'Z';
    const unsigned sextet = upper ? c - 'A' : (letter ? c - 'a' + 26 : (digit ? c - '0' + 52 : 62));
    const bool in_base64 = plain || c == '+' || c == '/' || c == '-' || c == '_';
    const bool text = sextet == 0 || sextet == 2 || sextet == 3 || sextet == 6 || (sextet >= 8 && sextet < 32);
    return {in_base64,
            plain || c == '_',
            digit || (lower >= 'a' && lower <= 'f'),
            c == '\\' || c == '%' || c == '&' || c == '=' || c == 0,
            c == '\n',
            c > ' ',
            upper || (c >= '2' && c <= '7'),
            plain && text,
            plain && (sextet & 8U) == 0,
            plain && (sextet & 2U) == 0,
            c >= '2' && c <= '7',
            c == ' ' || c == '\t' || c == ',' || c == '[' || c == '(' || c == '{',
            c == '0' || c == '1'};
}

struct Classes {
    std::array<std::uint16_t, 256> of{};
    /// For each class and low half of an ASCII character: one bit for each high half with which it is a member.
    std::array<std::array<unsigned char, 16>, class_count> rows{};
    constexpr Classes() {
        for (unsigned c = 0; c < 256; ++c) {
            const auto members = classes_of(c);
            for (std::size_t i = 0; i < class_count; ++i) {
                if (!members.at(i)) continue;
                of.at(c) = static_cast<std::uint16_t>(of.at(c) | 1U << i);
                if (c < 0x80)
                    rows.at(i).at(c & 15U) = static_cast<unsigned char>(rows.at(i).at(c & 15U) | 1U << (c >> 4U));
            }
        }
    }
};
constexpr Classes classes;

using Words = std::array<std::uint64_t, class_count>;

ByteMasks masks_of(const Words& words) {
    return {words[0], words[1], words[2], words[3],  words[4],  words[5], words[6],
            words[7], words[8], words[9], words[10], words[11], words[12]};
}

ByteMasks masks_portably(const char* block, std::size_t size) {
    Words words{};
    for (std::size_t i = 0; i < size; ++i) {
        const std::uint64_t bits = classes.of[static_cast<unsigned char>(block[i])];
        for (std::size_t k = 0; k < class_count; ++k) words[k] |= (bits >> k & 1U) << i;
    }
    return masks_of(words);
}

#if defined(__x86_64__)

// NOLINTBEGIN(portability-simd-intrinsics): with a portable version above

/// For 32 bytes: one bit for the high half of each ASCII character, and the low halves.
struct Halves {
    __m256i high;
    __m256i low;
    __m256i text;
};

[[gnu::target("avx2")]] __m256i table(const unsigned char* row) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)));
}

[[gnu::target("avx2")]] Halves halves_of(const char* bytes) {
    constexpr std::array<unsigned char, 16> bits{1, 2, 4, 8, 16, 32, 64, 128};
    const auto text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    const auto half = _mm256_set1_epi8(15);
    const auto high = _mm256_and_si256(_mm256_srli_epi16(text, 4), half);
    return {_mm256_shuffle_epi8(table(bits.data()), high), _mm256_and_si256(text, half), text};
}

[[gnu::target("avx2")]] std::uint32_t members(const Halves& halves, __m256i row) {
    const auto bits = _mm256_and_si256(_mm256_shuffle_epi8(row, halves.low), halves.high);
    return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bits, _mm256_setzero_si256())));
}

[[gnu::target("avx2")]] void compute_with_avx2(const char* text, std::size_t count, ByteMasks* masks) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto first = halves_of(text + i * ByteMasks::bytes);
        const auto second = halves_of(text + i * ByteMasks::bytes + 32);
        Words words{};
        for (std::size_t k = 0; k < class_count; ++k) {
            const auto row = table(classes.rows[k].data());
            words[k] = members(first, row) | std::uint64_t{members(second, row)} << 32U;
        }
        masks[i] = masks_of(words);
        const auto not_ascii = static_cast<std::uint32_t>(_mm256_movemask_epi8(first.text)) |
                               std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(second.text))} << 32U;
        masks[i].solid |= not_ascii;
    }
}

// NOLINTEND(portability-simd-intrinsics)

/// Less than a block. The padding is in no class.
void compute_rest_with_avx2(std::string_view rest, ByteMasks& masks) {
    std::array<char, ByteMasks::bytes> block;
    block.fill('\x7F');
    std::copy(rest.begin(), rest.end(), block.begin());
    compute_with_avx2(block.data(), 1, &masks);
    masks.solid &= (std::uint64_t{1} << rest.size()) - 1;
    wipe(block.data(), rest.size());
}

#endif

}  // namespace

void compute_masks_portably(std::string_view text, std::vector<ByteMasks>& masks) {
    masks.clear();
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), ByteMasks::bytes))) {
        masks.push_back(masks_portably(text.data(), std::min(text.size(), ByteMasks::bytes)));
    }
}

void compute_masks(std::string_view text, std::vector<ByteMasks>& masks) {
#if defined(__x86_64__)
    static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
    if (has_avx2) {
        const auto whole = text.size() / ByteMasks::bytes;
        masks.resize((text.size() + ByteMasks::bytes - 1) / ByteMasks::bytes);
        compute_with_avx2(text.data(), whole, masks.data());
        if (masks.size() > whole) compute_rest_with_avx2(text.substr(whole * ByteMasks::bytes), masks.back());
        return;
    }
#endif
    compute_masks_portably(text, masks);
}

}  // namespace trebuchet
