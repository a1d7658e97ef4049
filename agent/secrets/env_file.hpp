#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

struct EnvFileEntry {
    std::string name;
    WipedString value;
    bool is_base64 = false;  ///< written as {{ 'text' | base64encode }}: the value is that text, decoded
};

/// Parses a .env file:
///
///     # comment
///     export NAME=value   # comment after a blank
///     NAME='as it is, over several lines if need be'
///     NAME="with \n, \t, \", \\ and \$ as in a shell"
///     SECRET_NAME={{ 'text' | base64encode }}
///
/// Of a name that occurs twice the last counts. The last line needs no newline. The Error names `file` and the line,
/// and quotes no value.
[[nodiscard]] Result<std::vector<EnvFileEntry>> parse_env_file(std::string_view text, const std::string& file);

/// The same secrets as lines SECRET_NAME=base64, for the environment of the agent.
[[nodiscard]] WipedString encoded_env_file(const std::vector<EnvFileEntry>& entries);

}  // namespace trebuchet
