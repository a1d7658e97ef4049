#pragma once

#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// What is left of a value without surrounding blanks and line ends, one pair of surrounding quotes (' or "), and
/// blanks within those: what somebody would call the secret itself.
[[nodiscard]] std::string_view core_of(std::string_view value);

/// The byte strings, besides the value as it is, under which it may be printed. None is shorter than `min_length`.
[[nodiscard]] std::vector<SecretString> derived_forms(std::string_view value, std::size_t min_length);

}  // namespace trebuchet
