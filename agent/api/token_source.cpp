#include "agent/api/token_source.hpp"

#include "agent/api/answer.hpp"
#include "agent/api/call_policy.hpp"
#include "common/file/credential_file.hpp"
#include "common/log/log.hpp"
#include "common/secret/secret_json.hpp"

#include <memory>
#include <string_view>
#include <utility>

#include <openssl/evp.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

constexpr std::size_t key_file_limit = 4096;
constexpr std::string_view basic = "Basic ";

HttpRequest post(std::string target) {
    HttpRequest request;
    request.method = HttpRequest::Method::post;
    request.target = std::move(target);
    request.timeout = policy_of(Call::authorize).timeout;
    return request;
}

HttpRequest refresh_request(const SecretString& refresh_token) {
    SecretJson body;
    body["refresh_token"] = WipedString(refresh_token.reveal());
    auto request = post("/v1/oauth2/refresh");
    request.content_type = "application/json";
    request.body = body.dump();
    return request;
}

/// RFC 7617.
WipedString basic_authorization(const std::string& user, const SecretString& password) {
    WipedString pair(user);
    pair.append(":").append(password.reveal());
    WipedString encoded((pair.size() + 2) / 3 * 4 + 1, '\0');
    const auto length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                        reinterpret_cast<const unsigned char*>(pair.data()), static_cast<int>(pair.size()));
    encoded.resize(static_cast<std::size_t>(length));
    return WipedString(basic) + encoded;
}

bool is_exposed(const std::filesystem::path& file) {
    struct stat info {};
    return ::stat(file.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0;
}

}  // namespace

TokenSource::TokenSource(const Clock& clock, HttpClient& http, Credentials credentials)
    : clock_(clock), http_(http), credentials_(std::move(credentials)) {}

void TokenSource::ask(const std::function<void(Answer)>& done) {
    const bool changed = has_changed();
    last_read_ = stamp_of_file();
    if (!has_warned_of_exposure_ && is_exposed(file())) {
        has_warned_of_exposure_ = true;
        log_warning(file().string() + " is readable by every user of this host: run chmod o-r on it");
    }
    if (!credentials_.client_id.empty()) {
        if (changed || !refresh_token_) return log_in(done);
        const auto log_in_again = [this, done](const Answer& /*refusal*/) {
            refresh_token_.reset();
            log_in(done);
        };
        return refresh(*refresh_token_, log_in_again, done);
    }
    const auto refresh_token = read_refresh_token(credentials_.token_file);
    if (!refresh_token) return done(fail(refresh_token.error()));
    if (!*refresh_token) return done(std::optional<AccessToken>());
    credentials_.own->add("agent's refresh token", (*refresh_token)->reveal());
    refresh(**refresh_token, done, done);
}

void TokenSource::refresh(const SecretString& refresh_token, std::function<void(Answer)> refused,
                          std::function<void(Answer)> done) {
    auto request = refresh_request(refresh_token);
    const auto call = name_of_call(request);
    const auto sent = std::make_shared<const SecretString>(refresh_token.reveal());
    http_.send(std::move(request), [this, call, sent, refused = std::move(refused),
                                    done = std::move(done)](HttpResult answer) {
        if (!answer) return done(fail(answer.error().message));
        hide_in_refusal(answer, {sent->reveal()});
        const bool is_refused = answer->status >= 400 && answer->status < 500;
        if (answer->status != 200) {
            return (is_refused ? refused : done)(fail(refusal(call, *answer).with_context("no access token")));
        }
        done(take_access_token(answer->body));
    });
}

TokenSource::Answer TokenSource::take_access_token(std::string_view answer) {
    auto token = parse_access_token(answer, clock_.now());
    if (!token) return fail(token.error());
    credentials_.own->add("agent's access token", token->value.reveal());
    return std::optional(std::move(*token));
}

void TokenSource::log_in(const std::function<void(Answer)>& done) {
    const auto key = read_credential_file(credentials_.secret_key_file, key_file_limit);
    if (!key) return done(fail(key.error().with_context("cannot read the key for the login")));
    if (key->empty()) return done(fail("the key file " + credentials_.secret_key_file.string() + " is empty"));
    credentials_.own->add("agent's key", key->reveal());
    auto request = post("/v1/oauth2/token");
    auto authorization = basic_authorization(credentials_.client_id, *key);
    const auto sent = std::make_shared<const SecretString>(std::string_view(authorization).substr(basic.size()));
    credentials_.own->add("agent's login", sent->reveal());
    const auto sent_key = std::make_shared<const SecretString>(key->reveal());
    request.headers.emplace_back("Authorization", std::move(authorization));
    const auto call = name_of_call(request);
    http_.send(std::move(request), [this, call, done, sent, sent_key](HttpResult answer) {
        if (!answer) return done(fail(answer.error().message));
        hide_in_refusal(answer, {sent_key->reveal(), sent->reveal()});
        if (answer->status != 200) {
            return done(fail(refusal(call, *answer).with_context("cannot log in as " + credentials_.client_id)));
        }
        auto token = take_access_token(answer->body);
        if (token) refresh_token_ = parse_refresh_token(answer->body);
        if (token && refresh_token_) credentials_.own->add("agent's refresh token", refresh_token_->reveal());
        done(std::move(token));
    });
}

bool TokenSource::has_changed() const {
    return stamp_of_file() != last_read_;
}

const std::filesystem::path& TokenSource::file() const {
    return credentials_.client_id.empty() ? credentials_.token_file : credentials_.secret_key_file;
}

TokenSource::Stamp TokenSource::stamp_of_file() const {
    struct stat info {};
    if (::stat(file().c_str(), &info) != 0) return {};
    return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

}  // namespace trebuchet
