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

/// Calls of the v1 API as this agent: with its access token, which is renewed when due, after a refusal that may be the
/// token's fault (401, 403), and when the credentials changed; and with the cookies that the server set, by which it
/// knows it. What does not help is tried again after growing waits.
class ApiClient {
  public:
    ApiClient(EventLoop& loop, const Clock& clock, std::unique_ptr<HttpClient> http, Credentials credentials,
              std::function<double()> draw);

    /// Beside the loop; `done` is called once on it.
    void send(HttpRequest request, std::function<void(HttpResult)> done);

    /// Runs the loop until the answer is there, or the request's timeout (and that of a renewal) is over.
    [[nodiscard]] HttpResult call(HttpRequest request);

    /// The same for a call whose answer must not be lost: after give_up it has still so long.
    [[nodiscard]] HttpResult call_to_its_end(HttpRequest request, std::chrono::milliseconds grace);

    /// The same for what may take hours: it fails when abort_transfer is called meanwhile.
    [[nodiscard]] HttpResult transfer(HttpRequest request);
    /// From a handler of the loop.
    void abort_transfer() { ++aborts_; }

    /// Why this agent can't prove who it is, or "": an access token is good until it expires or is refused, whatever
    /// became of the file. An agent that never had a token file is anonymous on purpose.
    [[nodiscard]] std::string token_problem() const;

    /// By how much the server's clock was ahead of ours in its last answer; nothing if that had no date.
    [[nodiscard]] std::optional<std::chrono::seconds> server_is_ahead() const { return server_is_ahead_; }

    /// From now on every call fails at once, those under way as well. From a handler of the loop.
    void give_up();

  private:
    [[nodiscard]] HttpResult wait_for(HttpRequest request, const std::function<bool()>& is_aborted);
    void send_authorized(HttpRequest request, bool may_renew, std::function<void(HttpResult)> done);
    void renew(std::function<void()> done);
    void renewed(TokenSource::Answer answer);
    void store(const HttpResult& answer);
    [[nodiscard]] bool renewal_is_due() const;
    [[nodiscard]] bool has_good_token() const;
    [[nodiscard]] bool is_renewing() const { return !waiting_for_renewal_.empty(); }
    /// Whether it is worth while to ask for a token: not if that was done only just now, with the same credentials.
    [[nodiscard]] bool renewal_may_help() const;

    EventLoop& loop_;
    const Clock& clock_;
    std::unique_ptr<HttpClient> http_;
    TokenSource source_;
    std::optional<AccessToken> token_;
    unsigned tokens_ = 0;  ///< how many there were
    bool token_is_refused_ = false;
    bool had_file_ = false;  ///< a token file was there, or an account to log in with
    std::optional<std::chrono::seconds> server_is_ahead_;
    Backoff backoff_;  ///< between renewals, as long as no call is accepted
    std::optional<std::chrono::steady_clock::time_point> next_renewal_;
    std::vector<std::function<void()>> waiting_for_renewal_;
    std::map<std::string, std::string> cookies_;
    std::string last_problem_;  ///< logged once, not at each call
    bool given_up_ = false;
    unsigned aborts_ = 0;  ///< of transfers
};

}  // namespace trebuchet
