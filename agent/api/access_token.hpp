#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>

namespace trebuchet {

/// The refresh token, from the file that a token manager rewrites every few days: `{"refresh_token": "…"}`.
/// No such file: nothing, which means anonymous.
[[nodiscard]] Result<std::optional<SecretString>> read_refresh_token(const std::filesystem::path& file);

/// What POST /v1/oauth2/refresh or /v1/oauth2/token answered.
struct AccessToken {
    SecretString value;
    std::chrono::steady_clock::time_point renew_at;  ///< when four fifths of its life are over
    std::chrono::steady_clock::time_point expires_at;
};

[[nodiscard]] Result<AccessToken> parse_access_token(std::string_view answer,
                                                     std::chrono::steady_clock::time_point now);

/// The refresh_token of what POST /v1/oauth2/token answered, if it holds one.
[[nodiscard]] std::optional<SecretString> parse_refresh_token(std::string_view answer);

}  // namespace trebuchet
