#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// JSON that may hold secrets: every node and string lies in the memory for secrets. Never dump it into anything but a
/// WipedString.
using SecretJson = nlohmann::basic_json<std::map, std::vector, WipedString, bool, std::int64_t, std::uint64_t, double,
                                        WipingAllocator>;

/// Deeper documents are refused: each level costs stack in everything that walks them.
inline constexpr int secret_json_depth_limit = 100;

/// Parses a document that anybody may have written. The Error says what is wrong with it by its name ("job.json:1:17:
/// this is not JSON"); it quotes nothing of it.
[[nodiscard]] Result<SecretJson> parse_secret_json(std::string_view text, const std::string& name);

/// For messages: "an object", "a list", "null", …
[[nodiscard]] std::string_view kind_of(const SecretJson& value);

}  // namespace trebuchet
