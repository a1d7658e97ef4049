#include "agent/server/api_client.hpp"

#include "common/base/text.hpp"
#include "common/log/log.hpp"
#include "common/secret/secret_json.hpp"

#include <utility>

namespace trebuchet {
namespace {

/// After a renewal was tried, refusals don't cause another one for this long: a role that is missing stays missing.
constexpr std::chrono::seconds renewal_pause{5};

HttpRequest renewal_request(const SecretString& refresh_token) {
    SecretJson body;
    body["refresh_token"] = WipedString(refresh_token.reveal());
    HttpRequest request;
    request.method = HttpRequest::Method::post;
    request.target = "/v1/oauth2/refresh";
    request.content_type = "application/json";
    request.body = body.dump();
    request.timeout = std::chrono::seconds(15);
    return request;
}

}  // namespace

ApiClient::ApiClient(EventLoop& loop, const Clock& clock, std::unique_ptr<HttpClient> http,
                     std::filesystem::path token_file)
    : loop_(loop), clock_(clock), http_(std::move(http)), token_file_(std::move(token_file)) {}

void ApiClient::send(HttpRequest request, std::function<void(HttpResult)> done) {
    const bool wait_for_token = is_renewing() || renewal_is_due();
    if (!wait_for_token) return send_authorized(std::move(request), true, std::move(done));
    renew([this, request = std::move(request), done = std::move(done)]() mutable {
        send_authorized(std::move(request), false, std::move(done));
    });
}

HttpResult ApiClient::call(HttpRequest request) {
    std::optional<HttpResult> answer;
    send(std::move(request), [&](HttpResult result) { answer = std::move(result); });
    loop_.run_until([&] { return answer.has_value(); });
    return std::move(*answer);
}

void ApiClient::send_authorized(HttpRequest request, bool may_renew, std::function<void(HttpResult)> done) {
    HttpRequest authorized = request;
    if (token_) {
        WipedString value("Bearer ");
        value += token_->value.reveal();
        authorized.headers.emplace_back("Authorization", std::move(value));
    }
    WipedString cookies;
    for (const auto& [name, value] : cookies_) {
        if (!cookies.empty()) cookies += "; ";
        cookies.append(name).append("=").append(value);
    }
    if (!cookies.empty()) authorized.headers.emplace_back("Cookie", std::move(cookies));
    http_->send(std::move(authorized), [this, may_renew, sent_with = tokens_, request = std::move(request),
                                        done = std::move(done)](HttpResult answer) mutable {
        const bool refused = answer && (answer->status == 401 || answer->status == 403);
        const bool renewed_since = sent_with != tokens_;
        if (refused && may_renew && (renewed_since || is_renewing() || renewal_may_help())) {
            auto again = [this, request = std::move(request), done = std::move(done)]() mutable {
                send_authorized(std::move(request), false, std::move(done));
            };
            return renewed_since ? again() : renew(std::move(again));
        }
        store(answer);
        done(std::move(answer));
    });
}

bool ApiClient::renewal_is_due() const {
    return renewal_may_help() && (!token_ || clock_.now() >= token_->renew_at);
}

bool ApiClient::renewal_may_help() const {
    return !tried_at_ || clock_.now() - *tried_at_ >= renewal_pause;
}

void ApiClient::renew(std::function<void()> done) {
    waiting_for_renewal_.push_back(std::move(done));
    if (waiting_for_renewal_.size() > 1) return;
    tried_at_ = clock_.now();
    const auto go_on = [this](const std::string& problem) {
        if (!problem.empty() && problem != last_problem_) log_warning(problem);
        last_problem_ = problem;
        for (const auto& waiting : std::exchange(waiting_for_renewal_, {})) waiting();
    };
    const auto refresh_token = read_refresh_token(token_file_);
    if (!refresh_token || !*refresh_token) {
        token_.reset();
        return go_on(refresh_token ? "no token file " + token_file_.string() + ": going on without a token"
                                   : refresh_token.error().message());
    }
    auto request = renewal_request(**refresh_token);
    const auto call = name_of_call(request);
    http_->send(std::move(request), [this, go_on, call](HttpResult answer) {
        if (!answer) return go_on(answer.error().message);
        if (answer->status != 200) return go_on(refusal(call, *answer).with_context("no access token").message());
        auto token = parse_access_token(answer->body, clock_.now());
        if (!token) return go_on(token.error().message());
        token_ = std::move(*token);
        ++tokens_;
        go_on("");
    });
}

void ApiClient::store(const HttpResult& answer) {
    if (!answer) return;
    for (const auto& cookie : answer->cookies) {
        const auto equals = cookie.find('=');
        if (equals == std::string::npos || cookie.find_first_of("\r\n") != std::string::npos) continue;
        cookies_[cookie.substr(0, equals)] = cookie.substr(equals + 1);
    }
}

std::string name_of_call(const HttpRequest& request) {
    const auto* method = request.method == HttpRequest::Method::get ? "GET " : "POST ";
    return method + request.target.substr(0, request.target.find('?'));
}

Error refusal(const std::string& call, const HttpResponse& answer) {
    return Error("the server answered " + std::to_string(answer.status) + " to " + call + ": " +
                 trebuchet::quoted(answer.body, 200));
}

}  // namespace trebuchet
