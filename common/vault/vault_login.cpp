#include "common/vault/vault_login.hpp"

#include <utility>

namespace trebuchet {
namespace {

using Kind = VaultError::Kind;

WipedString dump(const SecretJson& json) {
    return json.dump(-1, ' ', false, SecretJson::error_handler_t::replace);
}

VaultRequest post(std::string path, const SecretJson& body, const SecretString* token = nullptr) {
    VaultRequest request;
    request.method = HttpRequest::Method::post;
    request.path = std::move(path);
    request.token = token;
    request.body = dump(body);
    return request;
}

VaultResult<VaultToken> token_in(const VaultResult<SecretJson>& answer) {
    if (!answer) return tl::unexpected(answer.error());
    const auto* auth = object_in(*answer, "auth");
    const auto value = auth == nullptr ? WipedString() : secret_in(*auth, "client_token");
    if (value.empty()) {
        return tl::unexpected(VaultError{Kind::unreachable, 200, "Vault's answer to the login has no client_token"});
    }
    VaultToken token;
    token.value = SecretString(value);
    token.accessor = text_in(*auth, "accessor");
    token.lifetime = seconds_in(*auth, "lease_duration");
    const auto renewable = auth->find("renewable");
    token.is_renewable = renewable != auth->end() && renewable->is_boolean() && renewable->get<bool>();
    token.is_revocable = text_in(*auth, "token_type") != "batch";
    return token;
}

std::function<void(VaultResult<SecretJson>)> taking_token(VaultLoginDone done) {
    return [done = std::move(done)](const VaultResult<SecretJson>& answer) { done(token_in(answer)); };
}

VaultError with_context(const std::string& context, const VaultError& error) {
    return {error.kind, error.status, context + ": " + error.text};
}

VaultRequest making_token(VaultRequest request) {
    request.makes_token = true;
    return request;
}

void unwrap(VaultClient& client, const SecretString& wrapping_token,
            std::function<void(VaultResult<SecretString>)> done) {
    auto request = post("sys/wrapping/unwrap", SecretJson::object(), &wrapping_token);
    request.max_retries = 0;  // a second unwrap looks like somebody else's
    client.send(std::move(request), [done = std::move(done)](const VaultResult<SecretJson>& answer) {
        if (!answer) return done(tl::unexpected(with_context("cannot unwrap the secret_id", answer.error())));
        const auto* data = object_in(*answer, "data");
        const auto id = data == nullptr ? WipedString() : secret_in(*data, "secret_id");
        if (id.empty()) {
            return done(tl::unexpected(VaultError{Kind::refused, 200, "the wrapped answer has no secret_id"}));
        }
        done(SecretString(id));
    });
}

}  // namespace

void log_in_with_jwt(VaultClient& client, const std::string& mount, const std::string& role, std::string_view jwt,
                     VaultLoginDone done) {
    SecretJson body;
    body["role"] = WipedString(role);
    body["jwt"] = WipedString(jwt);
    client.send(making_token(post("auth/" + mount + "/login", body)), taking_token(std::move(done)));
}

void log_in_with_approle(VaultClient& client, const std::string& mount, std::string_view role_id,
                         std::string_view secret_id, VaultLoginDone done) {
    SecretJson body;
    body["role_id"] = WipedString(role_id);
    if (!secret_id.empty()) body["secret_id"] = WipedString(secret_id);
    client.send(making_token(post("auth/" + mount + "/login", body)), taking_token(std::move(done)));
}

void make_child_token(VaultClient& client, const SecretString& parent, std::chrono::seconds ttl, VaultLoginDone done) {
    SecretJson body;
    body["ttl"] = WipedString(std::to_string(ttl.count()) + "s");
    body["display_name"] = WipedString("trebuchet-job");
    client.send(making_token(post("auth/token/create", body, &parent)), taking_token(std::move(done)));
}

void unwrap_secret_id(VaultClient& client, const std::string& mount, const SecretString& wrapping_token,
                      std::function<void(VaultResult<SecretString>)> done) {
    SecretJson body;
    body["token"] = WipedString(wrapping_token.reveal());
    const auto shared = std::make_shared<const SecretString>(wrapping_token.reveal());
    client.send(post("sys/wrapping/lookup", body), [&client, mount, shared,
                                                    done = std::move(done)](const VaultResult<SecretJson>& answer) {
        if (!answer && answer.error().kind == Kind::refused) {
            return done(tl::unexpected(VaultError{
                Kind::refused, answer.error().status,
                "the wrapping token is not valid any more: it expired, or somebody else has used it and may know the "
                "secret_id. Revoke the secret_ids of the role, and find out who read the file"}));
        }
        if (!answer) return done(tl::unexpected(with_context("cannot look at the wrapping token", answer.error())));
        const auto* data = object_in(*answer, "data");
        const auto place = data == nullptr ? "" : text_in(*data, "creation_path");
        if (!place.starts_with("auth/" + mount + "/role/") || !place.ends_with("/secret-id")) {
            return done(tl::unexpected(
                VaultError{Kind::refused, 200,
                           "the wrapping token was not made by auth/" + mount +
                               "/role/…/secret-id: somebody may have exchanged it. It was not unwrapped"}));
        }
        unwrap(client, *shared, done);
    });
}

void revoke(VaultClient& client, const SecretString& token, std::chrono::milliseconds timeout,
            std::function<void(VaultResult<SecretJson>)> done) {
    auto request = post("auth/token/revoke-self", SecretJson::object(), &token);
    request.timeout = timeout;
    request.max_retries = 0;
    client.send(std::move(request), std::move(done));
}

void revoke_accessor(VaultClient& client, const SecretString& token, const std::string& accessor,
                     std::function<void(VaultResult<SecretJson>)> done) {
    SecretJson body;
    body["accessor"] = WipedString(accessor);
    client.send(post("auth/token/revoke-accessor", body, &token), std::move(done));
}

void renew(VaultClient& client, const SecretString& token,
           std::function<void(VaultResult<std::chrono::seconds>)> done) {
    auto request = post("auth/token/renew-self", SecretJson::object(), &token);
    request.max_retries = 0;  // whoever renews has a backoff
    client.send(std::move(request), [done = std::move(done)](const VaultResult<SecretJson>& answer) {
        const auto token_now = token_in(answer);
        if (!token_now) return done(tl::unexpected(token_now.error()));
        done(token_now->lifetime);
    });
}

}  // namespace trebuchet
