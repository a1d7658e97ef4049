#pragma once

#include "common/yaml/yaml.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace trebuchet {

/// The type that PyYAML's safe_load gives an unquoted scalar. Accepts any bytes.
[[nodiscard]] YamlType plain_scalar_type(std::string_view text);

/// The value of a boolean by plain_scalar_type.
[[nodiscard]] bool plain_boolean(std::string_view text);

struct YamlInteger {
    bool negative = false;
    std::uint64_t magnitude = 0;  ///< valid only if `fits`
    bool fits = true;
    double rounded = 0;
};

/// The value of an integer by plain_scalar_type: decimal, 0x…, 0b…, 017 (octal), 1_000, 1:30 (base 60).
[[nodiscard]] YamlInteger plain_integer(std::string_view text);

[[nodiscard]] std::optional<std::int64_t> signed_value(const YamlInteger& number);

/// The value of a float by plain_scalar_type; may be infinite or NaN.
[[nodiscard]] double plain_floating(std::string_view text);

/// The first character that YAML does not allow: invalid UTF-8 or a control character.
[[nodiscard]] std::optional<YamlProblem> find_forbidden_character(std::string_view text);

}  // namespace trebuchet
