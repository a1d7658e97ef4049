#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Which forms of a value are masked, for messages. Contains no part of the value.
struct FormCoverage {
    enum class Weakness : unsigned char {
        none,
        brief,   ///< short: easy to guess, or may occur in ordinary text
        common,  ///< a common word, or one repeated character
    };

    std::vector<std::string_view> masked;
    /// Forms in which the value is too short to be distinguished from ordinary text.
    std::vector<std::string_view> not_masked;
    Weakness weakness = Weakness::none;
};

/// The coverage of a value with this MaskOptions::min_length. All fields are empty for an empty value.
[[nodiscard]] FormCoverage coverage_of(std::string_view value, std::size_t min_length);

}  // namespace trebuchet
