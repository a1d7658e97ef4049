#pragma once

#include "agent/server/access_token.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"
#include "common/http/http_client.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// Calls of the v1 API as this agent: with its access token, which is renewed when due and after a refusal that may be
/// the token's fault (401, 403), and with the cookies that the server set, by which it knows it. The token file is read
/// at each renewal.
class ApiClient {
  public:
    ApiClient(EventLoop& loop, const Clock& clock, std::unique_ptr<HttpClient> http, std::filesystem::path token_file);

    /// Beside the loop; `done` is called once on it.
    void send(HttpRequest request, std::function<void(HttpResult)> done);

    /// Runs the loop until the answer is there, or the request's timeout (and that of a renewal) is over.
    [[nodiscard]] HttpResult call(HttpRequest request);

  private:
    void send_authorized(HttpRequest request, bool may_renew, std::function<void(HttpResult)> done);
    void renew(std::function<void()> done);
    void store(const HttpResult& answer);
    [[nodiscard]] bool renewal_is_due() const;
    [[nodiscard]] bool is_renewing() const { return !waiting_for_renewal_.empty(); }
    /// Whether it is worth while to ask for a token: not if that was done only just now.
    [[nodiscard]] bool renewal_may_help() const;

    EventLoop& loop_;
    const Clock& clock_;
    std::unique_ptr<HttpClient> http_;
    std::filesystem::path token_file_;
    std::optional<AccessToken> token_;
    unsigned tokens_ = 0;  ///< how many there were
    std::optional<std::chrono::steady_clock::time_point> tried_at_;
    std::vector<std::function<void()>> waiting_for_renewal_;
    std::map<std::string, std::string> cookies_;
    std::string last_problem_;  ///< logged once, not at each call
};

/// "POST /v1/x", without the query: what a message calls a request.
[[nodiscard]] std::string name_of_call(const HttpRequest& request);

/// "the server answered 422 to POST /v1/x: …", with the start of the answer's body.
[[nodiscard]] Error refusal(const std::string& call, const HttpResponse& answer);

}  // namespace trebuchet
