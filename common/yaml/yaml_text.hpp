#pragma once

#include "common/yaml/yaml.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace trebuchet {

/// What PyYAML's safe_load takes a scalar without quotes for. Any bytes may be in it.
[[nodiscard]] YamlType plain_scalar_type(std::string_view text);

/// Value of a text that plain_scalar_type calls a boolean.
[[nodiscard]] bool plain_boolean(std::string_view text);

struct YamlInteger {
    bool negative = false;
    std::uint64_t magnitude = 0;  ///< only if it fits
    bool fits = true;
    double rounded = 0;
};

/// Value of a text that plain_scalar_type calls an integer: decimal, 0x…, 0b…, 017 (octal), 1_000, 1:30 (base 60).
[[nodiscard]] YamlInteger plain_integer(std::string_view text);

[[nodiscard]] std::optional<std::int64_t> signed_value(const YamlInteger& number);

/// Value of a text that plain_scalar_type calls floating: may be infinite or NaN.
[[nodiscard]] double plain_floating(std::string_view text);

/// The first place that YAML doesn't allow: bytes that are not UTF-8, control characters.
[[nodiscard]] std::optional<YamlProblem> find_forbidden_character(std::string_view text);

}  // namespace trebuchet
