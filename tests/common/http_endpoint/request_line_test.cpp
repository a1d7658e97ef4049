#include "common/http_endpoint/request_line.hpp"

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

}  // namespace
}  // namespace trebuchet
