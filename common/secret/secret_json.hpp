#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// JSON that may contain secrets: all nodes and strings are in secret memory. Dump it only into a WipedString.
using SecretJson = nlohmann::basic_json<std::map, std::vector, WipedString, bool, std::int64_t, std::uint64_t, double,
                                        WipingAllocator>;

/// Deeper documents are refused, because recursive code needs stack for each level.
inline constexpr int secret_json_depth_limit = 100;

/// Parses an untrusted document. The Error gives name and position ("job.json:1:17: this is not JSON") but quotes
/// nothing.
[[nodiscard]] Result<SecretJson> parse_secret_json(std::string_view text, const std::string& name);

/// For messages: "an object", "a list", "null", …
[[nodiscard]] std::string_view kind_of(const SecretJson& value);

}  // namespace trebuchet
