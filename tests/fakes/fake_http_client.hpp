#pragma once

#include "common/event/event_loop.hpp"
#include "common/http/http_client.hpp"

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace trebuchet {

/// An HTTP client without a network: records the requests, and answers them on the loop with `answer`.
class FakeHttpClient final : public HttpClient {
  public:
    /// The test's part, which outlives the client.
    struct Script {
        std::function<HttpResult(const HttpRequest&)> answer = [](const HttpRequest&) {
            return HttpResponse{200, {}, {}};
        };
        std::deque<HttpRequest> requests;

        [[nodiscard]] std::vector<std::string> targets() const {
            std::vector<std::string> all;
            for (const auto& request : requests) all.push_back(request.target);
            return all;
        }
    };

    FakeHttpClient(EventLoop& loop, Script& script) : loop_(loop), script_(script) {}

    void send(HttpRequest request, std::function<void(HttpResult)> done) override {
        script_.requests.push_back(std::move(request));
        loop_.post([&sent = script_.requests.back(), &script = script_, done = std::move(done)] {
            done(script.answer(sent));
        });
    }
    void drop_connections() override {}

  private:
    EventLoop& loop_;
    Script& script_;
};

/// Returns the value of a header, or "none" if the request has no such header.
[[nodiscard]] inline std::string header_of(const HttpRequest& request, const std::string& name) {
    for (const auto& [known, value] : request.headers) {
        if (known == name) return std::string(value);
    }
    return "none";
}

}  // namespace trebuchet
