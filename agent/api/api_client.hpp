#pragma once

#include "agent/api/token_source.hpp"
#include "common/base/backoff.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"
#include "common/http/http_client.hpp"

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// Sends requests of the v1 API with this agent's access token and with the server's cookies, which tell the server
/// which agent it is. Renews the token when it is due, after a 401 or 403, and when the credentials have changed.
/// Retries failed renewals with exponential backoff.
class ApiClient {
  public:
    ApiClient(EventLoop& loop, const Clock& clock, std::unique_ptr<HttpClient> http, Credentials credentials,
              std::function<double()> draw);

    /// Sends in the background and calls `done` once on the loop.
    void send(HttpRequest request, std::function<void(HttpResult)> done);

    /// Runs the loop until the answer arrives, or until the timeout of the request (plus that of a renewal).
    [[nodiscard]] HttpResult call(HttpRequest request);

    /// The same for a call whose answer must not be lost: after stop_now() it still waits `grace` for the answer.
    [[nodiscard]] HttpResult call_to_its_end(HttpRequest request, std::chrono::milliseconds grace);

    /// The same for a transfer that may take hours: stop_transfer() makes it fail.
    [[nodiscard]] HttpResult transfer(HttpRequest request);
    /// Call this in a handler of the loop.
    void stop_transfer() { ++stopped_transfers_; }

    /// Why this agent cannot authenticate, or "". An access token stays valid until it expires or is refused, even if
    /// the token file is gone. An agent that never had a token file is anonymous on purpose.
    [[nodiscard]] std::string token_problem() const;

    /// How far the server's clock is ahead of ours, by its last answer; nullopt if that had no date.
    [[nodiscard]] std::optional<std::chrono::seconds> server_is_ahead() const { return server_is_ahead_; }

    [[nodiscard]] const Clock& clock() const { return clock_; }

    /// Makes running and later calls fail at once. Call this in a handler of the loop.
    void stop_now();

  private:
    [[nodiscard]] HttpResult wait_for(HttpRequest request, const std::function<bool()>& is_stopped);
    void send_authorized(HttpRequest request, bool may_renew, std::function<void(HttpResult)> done);
    void renew(std::function<void()> done);
    void renewed(TokenSource::Answer answer);
    void store(const HttpResult& answer);
    [[nodiscard]] bool renewal_is_due() const;
    [[nodiscard]] bool has_good_token() const;
    [[nodiscard]] bool is_renewing() const { return !waiting_for_renewal_.empty(); }
    /// False if the token was renewed just now with the same credentials.
    [[nodiscard]] bool renewal_may_help() const;

    EventLoop& loop_;
    const Clock& clock_;
    std::unique_ptr<HttpClient> http_;
    TokenSource source_;
    std::optional<AccessToken> token_;
    unsigned tokens_ = 0;  ///< number of tokens so far
    bool token_is_refused_ = false;
    bool had_file_ = false;  ///< a token file, or an account to log in with, has existed
    std::optional<std::chrono::seconds> server_is_ahead_;
    Backoff backoff_;  ///< between renewals, while no call succeeds
    std::optional<std::chrono::steady_clock::time_point> next_renewal_;
    std::vector<std::function<void()>> waiting_for_renewal_;
    std::map<std::string, std::string> cookies_;
    std::string last_problem_;  ///< so that a problem is logged once, not at each call
    bool stopped_ = false;
    unsigned stopped_transfers_ = 0;  ///< calls of stop_transfer()
};

}  // namespace trebuchet
