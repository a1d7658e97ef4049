#pragma once

#include "agent/server/access_token.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"
#include "common/http/http_client.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// Calls of the v1 API as this agent: with its access token, which is renewed when due and after a refusal that may be
/// the token's fault (401, 403), and with the cookie by which the server knows it. The token file is read at each
/// renewal.
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
    /// Whether a new token may help against a refusal: not if the one that was refused is only just made.
    [[nodiscard]] bool renewal_may_help() const;

    EventLoop& loop_;
    const Clock& clock_;
    std::unique_ptr<HttpClient> http_;
    std::filesystem::path token_file_;
    std::optional<AccessToken> token_;
    std::optional<std::chrono::steady_clock::time_point> tried_at_;
    std::vector<std::function<void()>> waiting_for_renewal_;
    std::string cookie_;
    std::string last_problem_;  ///< logged once, not at each call
};

/// "POST /v1/x", without the query: what a message calls a request.
[[nodiscard]] std::string name_of_call(const HttpRequest& request);

/// "the server answered 422 to POST /v1/x: …", with the start of the answer's body.
[[nodiscard]] Error refusal(const std::string& call, const HttpResponse& answer);

}  // namespace trebuchet
