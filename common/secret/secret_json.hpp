#pragma once

#include "common/secret/secret_string.hpp"

#include <map>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// JSON that may hold secrets: every node and string lies in the memory for secrets. Never dump it into anything but a
/// WipedString.
using SecretJson = nlohmann::basic_json<std::map, std::vector, WipedString, bool, std::int64_t, std::uint64_t, double,
                                        WipingAllocator>;

}  // namespace trebuchet
