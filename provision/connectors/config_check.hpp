#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// What there is to say about a `default.yaml`, each "file:line:col: …".
struct ConfigFindings {
    std::vector<std::string> problems;  ///< stages would fail
    std::vector<std::string> warnings;  ///< keys that nobody reads, with "did you mean"; keys that stand twice
};

/// Checks the whole file against the keys that connectors declare. `type`: for this one, with the keys that it needs
/// and what it has to say about them together; "": for any, of which the file doesn't say which.
/// Keys of the reference's other types are known too: one file may serve several programs.
[[nodiscard]] ConfigFindings check_config(std::string_view text, const std::string& file, std::string_view type);

}  // namespace trebuchet
