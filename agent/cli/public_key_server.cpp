#include "agent/cli/public_key_server.hpp"

#include "agent/api/token_source.hpp"
#include "agent/cli/server_login.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"
#include "common/http/http_client.hpp"

#include <cctype>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

constexpr std::chrono::seconds limit{30};

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.') {
            encoded += c;
        } else {
            encoded += {'%', digits[byte >> 4U], digits[byte & 0xFU]};
        }
    }
    return encoded;
}

Result<WipedString> access_token(EventLoop& loop, HttpClient& http, const Config& config) {
    const SystemClock clock;
    auto login = credentials_of(config, "refresh_token", std::make_shared<OwnSecrets>());
    if (!login) return fail(login.error());
    TokenSource source(clock, http, *login);
    std::optional<TokenSource::Answer> answer;
    source.ask([&](TokenSource::Answer result) { answer = std::move(result); });
    if (!loop.wait_for(limit, [&] { return answer.has_value(); })) return fail("the server did not answer the login");
    if (!*answer) return fail(answer->error());
    if (!**answer)
        return fail("nobody is signed in: set trebuchet.client_id and secret_key_file, or give --public-key");
    return WipedString((**answer)->value.reveal());
}

Result<std::string> key_in(const HttpResponse& response) {
    if (response.status != 200) {
        return fail("the server has no public keys of repositories (it answered " + std::to_string(response.status) +
                    "): give --public-key, with the file that the lab gives you");
    }
    const auto json = nlohmann::json::parse(std::string_view(response.body), nullptr, false);
    if (!json.is_object() || !json.contains("public_key") || !json["public_key"].is_string()) {
        return fail("the server's answer has no public_key");
    }
    return json["public_key"].get<std::string>();
}

}  // namespace

Result<std::string> public_key_of_server(const Config& config, const KeyOwner& owner) {
    EventLoop loop;
    auto http = HttpClient::make(loop, http_options(config));
    if (!http) return fail(http.error());
    auto token = access_token(loop, **http, config);
    if (!token) return fail(token.error());
    HttpRequest request;
    request.target = "/v1/secrets/public-key?repository=" + percent_encoded(owner.repository) +
                     "&user=" + percent_encoded(owner.user);
    request.headers.emplace_back("Authorization", WipedString("Bearer ") + *token);
    std::optional<HttpResult> answer;
    (*http)->send(std::move(request), [&](HttpResult result) { answer = std::move(result); });
    if (!loop.wait_for(limit, [&] { return answer.has_value(); })) return fail("the server did not answer");
    if (!*answer) return fail(answer->error().message);
    return key_in(**answer);
}

}  // namespace trebuchet
