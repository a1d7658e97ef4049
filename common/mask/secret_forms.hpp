#pragma once

#include "common/mask/form.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Minimum lengths; shorter texts cannot be distinguished from ordinary text.
namespace shortest {
constexpr std::size_t base64 = 4;  ///< bytes; with fewer, some alignment has less than four characters of its own
constexpr std::size_t hex = 8;     ///< digits (4 bytes)
constexpr std::size_t part = 5;    ///< bytes of a line or a JSON leaf
}  // namespace shortest

/// In bytes. Longer values and leaves get no escaped forms, because there are dozens; only base64, hex and
/// percent-encoding.
constexpr std::size_t longest_escaped = 65536;

/// In bytes. Longer values get no rare forms, such as those that escape every character.
constexpr std::size_t longest_rare = 4096;

struct DerivedForm {
    Form form;
    SecretString bytes;
    /// All letters belong to escapes (hex digits, markers), whose case does not matter; `bytes` has them in lower case.
    bool any_case = false;
};

/// The secret itself: a value without surrounding blanks and line ends, without one pair of surrounding quotes (' or
/// "), and without the blanks inside these quotes.
[[nodiscard]] std::string_view core_of(std::string_view value);

/// The byte strings in which the value may be printed, besides the value itself. Distinct; at least `min_length` bytes
/// each.
[[nodiscard]] std::vector<DerivedForm> derived_forms(std::string_view value, std::size_t min_length);

}  // namespace trebuchet
