#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Which forms of one value are masked, in words for people. Nothing in it comes from the value.
struct FormCoverage {
    enum class Weakness : unsigned char {
        none,
        brief,   ///< quickly guessed, or ordinary text may hold it
        common,  ///< a common word, or one character again and again
    };

    std::vector<std::string_view> masked;
    /// In these forms the value can't be told from ordinary text: it is too short.
    std::vector<std::string_view> not_masked;
    Weakness weakness = Weakness::none;
};

/// Of a value that MaskSet::build() would get with this minimum. Of an empty value everything is empty.
[[nodiscard]] FormCoverage coverage_of(std::string_view value, std::size_t min_length);

}  // namespace trebuchet
