#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace trebuchet::harness {

using Json = nlohmann::json;

struct Reply {
    int status = 0;
    std::string body;

    /// Returns null if the body is not JSON.
    [[nodiscard]] Json json() const;
};

/// Sends one request over a new connection, which trusts only `ca`. `origin`: "https://host:port". `token`: "" for
/// none. `body`: null for none. Throws if there is no answer.
[[nodiscard]] Reply send_request(const std::string& origin, const std::filesystem::path& ca, std::string_view method,
                                 const std::string& target, const std::string& token, const Json& body);

}  // namespace trebuchet::harness
