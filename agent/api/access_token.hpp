#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>

namespace trebuchet {

/// Reads `{"refresh_token": "…"}` from a file that a token manager rewrites every few days. nullopt if the file does
/// not exist: the agent is then anonymous.
[[nodiscard]] Result<std::optional<SecretString>> read_refresh_token(const std::filesystem::path& file);

/// When the token in such a file was obtained: its `obtained_at` (seconds since 1970, or ISO 8601), else when the file
/// was written. nullopt if there is no such file.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> token_obtained_at(const std::filesystem::path& file);

/// The answer to POST /v1/oauth2/refresh or /v1/oauth2/token.
struct AccessToken {
    SecretString value;
    std::chrono::steady_clock::time_point renew_at;  ///< after four fifths of its lifetime
    std::chrono::steady_clock::time_point expires_at;
};

[[nodiscard]] Result<AccessToken> parse_access_token(std::string_view answer,
                                                     std::chrono::steady_clock::time_point now);

/// The refresh_token in the answer to POST /v1/oauth2/token, if there is one.
[[nodiscard]] std::optional<SecretString> parse_refresh_token(std::string_view answer);

}  // namespace trebuchet
