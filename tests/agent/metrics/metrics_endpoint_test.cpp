#include "agent/metrics/metrics_endpoint.hpp"

#include "common/file/safe_file.hpp"

#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace trebuchet {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// Blocking, so not on the loop's thread.
std::string get(std::uint16_t port, std::string_view path, std::string_view host) {
    const FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) return "cannot connect";
    const std::string request = "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
    if (!write_all(fd.get(), request)) return "cannot send";
    std::string answer;
    char buffer[4096];
    for (auto count = ::recv(fd.get(), buffer, sizeof buffer, 0); count > 0;
         count = ::recv(fd.get(), buffer, sizeof buffer, 0)) {
        answer.append(buffer, static_cast<std::size_t>(count));
    }
    return answer;
}

class MetricsEndpointTest : public testing::Test {
  protected:
    MetricsEndpointTest() {
        HttpEndpointOptions options;
        options.address = "127.0.0.1";
        options.local_pages = {"/"};
        endpoint_ = std::move(open_metrics_endpoint(loop_, options, metrics_, [] { return "<p>page"; }).value());
    }

    std::string ask(std::string_view path, std::string_view host = "lab") {
        std::string answer;
        bool over = false;
        std::thread client([&] {
            answer = get(endpoint_->port(), path, host);
            loop_.post([&] { over = true; });
        });
        loop_.run_until([&] { return over; });
        client.join();
        return answer;
    }

    EventLoop loop_;
    AgentMetrics metrics_{"audino", ""};
    std::unique_ptr<HttpEndpoint> endpoint_;
};

TEST_F(MetricsEndpointTest, ShowsTheMetricsAsTheyAre) {
    metrics_.job_started();
    const auto answer = ask("/metrics");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    EXPECT_THAT(answer, HasSubstr("\njobs_total{agent_id=\"audino\"} 1\n"));
}

TEST_F(MetricsEndpointTest, TellsWhetherTheAgentDoesItsWork) {
    EXPECT_THAT(ask("/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(ask("/healthz"), EndsWith("\r\n\r\nok\n"));
    for (int i = 0; i < 3; ++i) metrics_.server_failed();
    EXPECT_THAT(ask("/healthz"), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_THAT(ask("/healthz"), EndsWith("\r\n\r\nthe server did not answer the last 3 requests\n"));
}

TEST_F(MetricsEndpointTest, ShowsThePageOnlyUnderANameOfThisHost) {
    EXPECT_THAT(ask("/", "localhost:9100"),
                StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"));
    EXPECT_THAT(ask("/", "localhost:9100"), EndsWith("\r\n\r\n<p>page"));
    EXPECT_THAT(ask("/", "rebound.example.com"), StartsWith("HTTP/1.1 403 Forbidden\r\n"));
}

}  // namespace
}  // namespace trebuchet
