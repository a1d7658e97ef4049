#include "agent/api/api_client.hpp"

#include "agent/api/answer.hpp"
#include "agent/api/call_policy.hpp"
#include "common/log/log.hpp"

#include <utility>

namespace trebuchet {
namespace {

/// Backoff between unsuccessful renewals: the server is down, or a role is missing.
constexpr CallPolicy renewal = policy_of(Call::authorize);

/// Testflinger uses one cookie. The limit protects against a hostile server.
constexpr std::size_t most_cookies = 16;

HttpFailure stopped() {
    return {HttpFailure::Kind::timed_out, "aborted, because the job is cancelled or the agent stops"};
}

}  // namespace

ApiClient::ApiClient(EventLoop& loop, const Clock& clock, std::unique_ptr<HttpClient> http, Credentials credentials,
                     std::function<double()> draw)
    : loop_(loop),
      clock_(clock),
      http_(std::move(http)),
      source_(clock, *http_, std::move(credentials)),
      backoff_(renewal.first_wait, renewal.longest_wait, std::move(draw)) {}

void ApiClient::send(HttpRequest request, std::function<void(HttpResult)> done) {
    if (stopped_) return loop_.post([done = std::move(done)] { done(tl::unexpected(stopped())); });
    const bool wait_for_token = is_renewing() || renewal_is_due();
    if (!wait_for_token) return send_authorized(std::move(request), true, std::move(done));
    renew([this, request = std::move(request), done = std::move(done)]() mutable {
        send_authorized(std::move(request), false, std::move(done));
    });
}

HttpResult ApiClient::call(HttpRequest request) {
    return wait_for(std::move(request), [this] { return stopped_; });
}

HttpResult ApiClient::transfer(HttpRequest request) {
    return wait_for(std::move(request),
                    [this, before = stopped_transfers_] { return stopped_ || stopped_transfers_ != before; });
}

HttpResult ApiClient::call_to_its_end(HttpRequest request, std::chrono::milliseconds grace) {
    Timer timer(loop_);
    bool timer_runs = false;
    bool is_late = stopped_;
    return wait_for(std::move(request), [&] {
        if (stopped_ && !std::exchange(timer_runs, true)) timer.start(grace, [&] { is_late = true; });
        return is_late;
    });
}

HttpResult ApiClient::wait_for(HttpRequest request, const std::function<bool()>& is_stopped) {
    if (is_stopped()) return tl::unexpected(stopped());
    // Shared, because an answer may arrive after the call was stopped.
    const auto answer = std::make_shared<std::optional<HttpResult>>();
    send(std::move(request), [answer](HttpResult result) { *answer = std::move(result); });
    loop_.run_until([&] { return answer->has_value() || is_stopped(); });
    if (!*answer) return tl::unexpected(stopped());
    return std::move(**answer);
}

void ApiClient::stop_now() {
    stopped_ = true;
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
        if (answer && !renewed_since) token_is_refused_ = refused;
        if (refused && may_renew && (renewed_since || is_renewing() || renewal_may_help())) {
            auto again = [this, request = std::move(request), done = std::move(done)]() mutable {
                send_authorized(std::move(request), false, std::move(done));
            };
            return renewed_since ? again() : renew(std::move(again));
        }
        if (answer && !refused && last_problem_.empty()) backoff_.reset();
        store(answer);
        if (token_) hide_in_refusal(answer, {token_->value.reveal()});
        done(std::move(answer));
    });
}

bool ApiClient::renewal_is_due() const {
    const bool is_old = !token_ || clock_.now() >= token_->renew_at;
    return (is_old && renewal_may_help()) || source_.has_changed();
}

bool ApiClient::renewal_may_help() const {
    return !next_renewal_ || clock_.now() >= *next_renewal_ || source_.has_changed();
}

void ApiClient::renew(std::function<void()> done) {
    waiting_for_renewal_.push_back(std::move(done));
    if (waiting_for_renewal_.size() > 1) return;
    next_renewal_ = clock_.now() + backoff_.next();
    source_.ask([this](TokenSource::Answer answer) { renewed(std::move(answer)); });
}

void ApiClient::renewed(TokenSource::Answer answer) {
    std::string problem;
    if (!answer) {
        problem = answer.error().message();
    } else if (*answer) {
        token_ = std::move(**answer);
        ++tokens_;
        token_is_refused_ = false;
    } else {
        if (!has_good_token()) token_.reset();
        problem = "no token file " + source_.file().string() + ": continuing " +
                  (token_ ? "with the current access token until it expires" : "without a token");
    }
    had_file_ = had_file_ || !answer || answer->has_value();
    if (!problem.empty() && problem != last_problem_) log_warning(problem);
    last_problem_ = problem;
    for (const auto& waiting : std::exchange(waiting_for_renewal_, {})) waiting();
}

bool ApiClient::has_good_token() const {
    return token_ && !token_is_refused_ && clock_.now() < token_->expires_at;
}

std::string ApiClient::token_problem() const {
    return has_good_token() || !had_file_ ? "" : last_problem_;
}

void ApiClient::store(const HttpResult& answer) {
    if (!answer) return;
    if (const auto date = parse_http_date(answer->date)) {
        server_is_ahead_ = std::chrono::duration_cast<std::chrono::seconds>(*date - clock_.wall_time());
    }
    for (const auto& cookie : answer->cookies) {
        const auto equals = cookie.find('=');
        if (equals == std::string::npos || cookie.find_first_of("\r\n") != std::string::npos) continue;
        const auto name = cookie.substr(0, equals);
        if (cookies_.size() < most_cookies || cookies_.count(name) > 0) cookies_[name] = cookie.substr(equals + 1);
    }
}

}  // namespace trebuchet
