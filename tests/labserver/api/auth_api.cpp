#include "common/base/version.hpp"
#include "tests/labserver/api/api.hpp"
#include "tests/labserver/api/api_schemas.hpp"
#include "tests/labserver/text/base64.hpp"

namespace trebuchet::labserver {
namespace {

Response token(State& state, const Call& call) {
    const auto header = call.request.header("authorization");
    if (header.empty()) return text_answer("No authorization header: expected Basic client_id:secret_key", 401);
    const auto credentials = header.starts_with("Basic ") ? base64_decoded(header.substr(6)) : std::nullopt;
    const auto colon = credentials ? credentials->find(':') : std::string::npos;
    if (colon == std::string::npos) return text_answer("Expected Basic client_id:secret_key", 401);
    const auto* client = state.clients.authenticated(credentials->substr(0, colon), credentials->substr(colon + 1));
    if (client == nullptr) return text_answer("Wrong client id or secret key", 401);
    auto response = json_answer({{"access_token", state.tokens.issue_access(*client)},
                                 {"token_type", "Bearer"},
                                 {"expires_in", state.tokens.lifetimes().access.count()},
                                 {"refresh_token", state.tokens.issue_refresh(client->client_id)}});
    response.client_id = client->client_id;
    return response;
}

Response refuse(Tokens::RefreshFault fault) {
    switch (fault) {
        case Tokens::RefreshFault::revoked:
            return problem(400, "This refresh token was revoked");
        case Tokens::RefreshFault::expired:
            return problem(400, "This refresh token has expired");
        case Tokens::RefreshFault::unknown:
            break;
    }
    return problem(400, "Unknown refresh token");
}

Response refresh(State& state, const Call& call) {
    const auto client_id = state.tokens.redeem(call.body["refresh_token"].get<std::string>());
    if (!client_id) return refuse(client_id.error());
    const auto* client = state.clients.find(*client_id);
    if (client == nullptr) return refuse(Tokens::RefreshFault::unknown);
    auto response = json_answer({{"access_token", state.tokens.issue_access(*client)},
                                 {"token_type", "Bearer"},
                                 {"expires_in", state.tokens.lifetimes().access.count()}});
    response.client_id = *client_id;
    return response;
}

Response revoke(State& state, const Call& call) {
    const auto revoked = state.tokens.revoke(call.body["refresh_token"].get<std::string>());
    return revoked ? json_answer({{"status", "OK"}}) : refuse(revoked.error());
}

}  // namespace

void add_auth_routes(Router& router, State& state) {
    router.add(
        {"GET", "/v1", {}, [](const Call&) { return text_answer("Trebuchet labserver v" + std::string(version)); }});
    router.add({"POST", "/v1/oauth2/token", {}, [&state](const Call& call) { return token(state, call); }});
    router.add({"POST",
                "/v1/oauth2/refresh",
                {},
                [&state](const Call& call) { return refresh(state, call); },
                schemas::refresh_token()});
    router.add({"POST",
                "/v1/oauth2/revoke",
                {Role::admin},
                [&state](const Call& call) { return revoke(state, call); },
                schemas::refresh_token()});
}

}  // namespace trebuchet::labserver
