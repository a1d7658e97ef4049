#pragma once

#include "common/http/http_client.hpp"
#include "tests/fakes/loopback_server.hpp"
#include "tests/fakes/run_loop.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace trebuchet {

/// A client on a loop of its own.
class HttpClientTest : public testing::Test {
  protected:
    void connect(const LoopbackServer& server) {
        HttpOptions options;
        options.origin = server.origin();
        options.user_agent = "agent/1";
        connect(std::move(options));
    }
    void connect(HttpOptions options) {
        auto made = HttpClient::make(loop_, std::move(options));
        ASSERT_TRUE(made) << made.error().message();
        client_ = std::move(*made);
    }

    static HttpRequest get(const std::string& target) {
        HttpRequest request;
        request.target = target;
        return request;
    }
    static HttpRequest post(const std::string& target, std::string_view body) {
        HttpRequest request;
        request.method = HttpRequest::Method::post;
        request.target = target;
        request.content_type = "application/json";
        request.body = body;
        return request;
    }

    HttpResult call(HttpRequest request) {
        std::optional<HttpResult> answer;
        client_->send(std::move(request), [&](HttpResult result) {
            EXPECT_FALSE(answer) << "called twice";
            answer = std::move(result);
        });
        loop_.run_until([&] { return answer.has_value(); });
        return std::move(*answer);
    }
    /// The body of a 200 answer, or a description of what happened instead.
    std::string body_of(HttpRequest request) {
        const auto answer = call(std::move(request));
        if (!answer) return "failure: " + answer.error().message;
        return answer->status == 200 ? std::string(answer->body) : "status " + std::to_string(answer->status);
    }
    std::optional<HttpFailure::Kind> failure_of(HttpRequest request) {
        const auto answer = call(std::move(request));
        return answer ? std::nullopt : std::optional(answer.error().kind);
    }

    /// Waits for something on the server's threads, which do not wake the loop: polls every millisecond.
    void wait_until(const std::function<bool()>& condition) {
        Timer timer(loop_);
        const std::function<void()> again = [&] { timer.start(std::chrono::milliseconds(1), again); };
        again();
        loop_.run_until(condition);
    }
    /// Waits until bytes in transit have arrived.
    void wait_a_little() { loop_.wait_for(std::chrono::milliseconds(30)); }

    EventLoop loop_;
    std::unique_ptr<HttpClient> client_;
};

}  // namespace trebuchet
