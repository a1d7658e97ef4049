#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace trebuchet::labserver {

using Json = nlohmann::json;

/// How many arrays and objects may lie inside one another in what a client sends.
inline constexpr int max_json_depth = 100;

/// Parses what a client sent: valid UTF-8, one value, at most max_json_depth deep. The Error quotes nothing of the
/// text.
[[nodiscard]] Result<Json> parse_json(std::string_view text);

/// Without line breaks; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_text(const Json& value);

/// The string under `key`, or "" if there is none.
[[nodiscard]] std::string string_at(const Json& object, const char* key);

}  // namespace trebuchet::labserver
