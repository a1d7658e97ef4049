#pragma once

#include "common/mask/form.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Shorter texts can't be distinguished from ordinary text.
namespace shortest {
constexpr std::size_t base64 = 4;  ///< bytes; fewer give less than four own characters at some alignment
constexpr std::size_t hex = 8;     ///< digits (4 bytes)
constexpr std::size_t part = 5;    ///< bytes of a line or a JSON leaf
}  // namespace shortest

/// Longer values and leaves get no escaped forms (only base64, hex and percent-encoding), because there are dozens. In
/// bytes.
constexpr std::size_t longest_escaped = 65536;

/// Longer values get no rare forms, such as those that escape every character. In bytes.
constexpr std::size_t longest_rare = 4096;

struct DerivedForm {
    Form form;
    SecretString bytes;
    /// All letters belong to escapes (hex digits, markers), whose case does not matter; `bytes` has them in lower case.
    bool any_case = false;
};

/// The secret itself: a value without surrounding blanks and line ends, without one pair of surrounding quotes (' or ")
/// and without the blanks in these.
[[nodiscard]] std::string_view core_of(std::string_view value);

/// The byte strings, besides the value itself, as which it may be printed. Distinct, at least `min_length` bytes each.
[[nodiscard]] std::vector<DerivedForm> derived_forms(std::string_view value, std::size_t min_length);

}  // namespace trebuchet
