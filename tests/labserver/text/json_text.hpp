#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace trebuchet::labserver {

using Json = nlohmann::json;

/// How deep arrays and objects may be nested in what a client sends.
inline constexpr int max_json_depth = 100;

/// Parses what a client sent. Fails unless it is valid UTF-8, one value, and at most max_json_depth deep. The Error
/// does not quote the text.
[[nodiscard]] Result<Json> parse_json(std::string_view text);

/// The value as JSON without line breaks. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_text(const Json& value);

/// The string under `key`, or "" if there is none.
[[nodiscard]] std::string string_at(const Json& object, const char* key);

}  // namespace trebuchet::labserver
