#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Findings about a `default.yaml`, each "file:line:col: …".
struct ConfigFindings {
    std::vector<std::string> problems;  ///< errors: stages would fail
    std::vector<std::string> warnings;  ///< unknown keys, with "did you mean"; duplicate keys
};

/// Checks the whole file against the keys that the connectors declare. With `type` it also checks that type's required
/// keys and Connector::problems(); "" accepts the keys of all types. Keys of the reference's other types are accepted
/// too, because the reference may use the same file.
[[nodiscard]] ConfigFindings check_config(std::string_view text, const std::string& file, std::string_view type);

}  // namespace trebuchet
