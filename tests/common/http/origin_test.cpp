#include "common/http/origin.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(Origin, HttpIsUnencrypted) {
    for (const auto* origin :
         {"http://lab.example.com", "HTTP://lab.example.com:8000", "http://10.0.0.1/", "http://127.evil.com",
          "http://localhost.evil.com", "http://[2001:db8::1]:80", "http://127.0.0.1@evil.com", "http://"}) {
        EXPECT_TRUE(travels_in_clear(origin)) << origin;
    }
}

TEST(Origin, LoopbackAndHttpsAreSafe) {
    for (const auto* origin :
         {"http://localhost", "http://LOCALHOST:8000/x", "http://127.0.0.1", "http://127.8.9.1:5000", "http://[::1]:80",
          "http://[::1]", "https://lab.example.com", "HTTPS://lab.example.com"}) {
        EXPECT_FALSE(travels_in_clear(origin)) << origin;
    }
}

}  // namespace
}  // namespace trebuchet
