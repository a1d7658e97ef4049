#pragma once

#include "common/mask/form.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// What can't be told from ordinary text when it is shorter:
namespace shortest {
constexpr std::size_t base64 = 4;  ///< bytes; fewer don't leave four characters of their own at each alignment
constexpr std::size_t hex = 8;     ///< digits, of 4 bytes
constexpr std::size_t part = 5;    ///< bytes of a line or of a leaf
}  // namespace shortest

/// Of longer values and leaves the escaped forms are left out (all but base64, hex and percent-encoding): there are
/// dozens.
constexpr std::size_t longest_escaped = 65536;

/// Of longer ones those are left out, too, that escape every single character, and others that are seldom seen.
constexpr std::size_t longest_rare = 4096;

struct DerivedForm {
    Form form;
    SecretString bytes;
    /// The letters in it are digits and marks of an escape that mean the same in either case; they are lower-case here.
    bool any_case = false;
};

/// What is left of a value without surrounding blanks and line ends, one pair of surrounding quotes (' or "), and
/// blanks within those: what somebody would call the secret itself.
[[nodiscard]] std::string_view core_of(std::string_view value);

/// The byte strings, besides the value as it is, under which it may be printed; each once, none shorter than
/// `min_length`.
[[nodiscard]] std::vector<DerivedForm> derived_forms(std::string_view value, std::size_t min_length);

}  // namespace trebuchet
