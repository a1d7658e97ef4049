#include "common/http_endpoint/request_line.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(RequestLine, HasAMethodAndAPath) {
    const auto line = parse_request_line("GET /metrics HTTP/1.1\r\nHost: lab HTTP/1.1");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->method, "GET");
    EXPECT_EQ(line->path, "/metrics");
}

TEST(RequestLine, OmitsTheQuery) {
    const auto line = parse_request_line("POST /metrics?a=b?c HTTP/1.0");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->method, "POST");
    EXPECT_EQ(line->path, "/metrics");
}

TEST(RequestLine, IsRefusedIfIncomplete) {
    for (const std::string_view head : {"", " ", "GET", "GET /", "GET / ", " / HTTP/1.1", "GET HTTP/1.1",
                                        "GET / HTTP/2", "GET / http/1.1", "\r\nGET / HTTP/1.1"}) {
        EXPECT_FALSE(parse_request_line(head)) << head;
    }
}

TEST(LocalHost, IsNamedByLoopbackAddressesAndLocalhost) {
    for (const std::string_view host :
         {"localhost", "LocalHost:9100", "127.0.0.1", "127.8.9.1:80", "[::1]", "[::1]:9100"}) {
        EXPECT_TRUE(has_local_host("GET / HTTP/1.1\r\nA: b\r\nhost:  " + std::string(host))) << host;
    }
}

TEST(LocalHost, IsNothingElse) {
    for (const std::string_view head :
         {"", "Host: localhost.example.com", "Host: 127.0.0.1.example.com", "Host: 127.example", "Host: lab",
          "Host: localhost\r\nHost: lab", "Host:", "X-Host: localhost", "Host", "Host: ::1", "Host: localhost x"}) {
        EXPECT_FALSE(has_local_host("GET / HTTP/1.1\r\n" + std::string(head))) << head;
    }
}

}  // namespace
}  // namespace trebuchet
