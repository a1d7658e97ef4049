#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace trebuchet {

/// For 64 bytes of a text: one bit per byte and class, the first byte in the lowest bit. Bits behind the text are 0.
struct ByteMasks {
    std::uint64_t run;      ///< base64, both alphabets
    std::uint64_t word;     ///< letters, digits, _
    std::uint64_t hex;      ///< hex digits
    std::uint64_t escape;   ///< \ % & = NUL
    std::uint64_t newline;  ///< LF
    std::uint64_t solid;    ///< neither blank nor control character
    std::uint64_t base32;   ///< A-Z, 2-7
    /// What may be the first, second, third character of a quantum of base64 that is ASCII text.
    std::uint64_t first;
    std::uint64_t second;
    std::uint64_t third;
    std::uint64_t high;     ///< 2 to 7: the first hex digit of ASCII text
    std::uint64_t between;  ///< what stands between the numbers of a dump or a list: blanks, commas, brackets
    std::uint64_t octal;    ///< 0 and 1: the first octal digit of it

    static constexpr std::size_t bytes = 64;
};

/// Sets `masks` to those of the whole text.
void compute_masks(std::string_view text, std::vector<ByteMasks>& masks);

/// The same without SIMD.
void compute_masks_portably(std::string_view text, std::vector<ByteMasks>& masks);

}  // namespace trebuchet
