#include "common/http/proxy.hpp"

#include <map>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

std::string chosen(const std::string& scheme, const std::string& host,
                   const std::map<std::string, std::string>& environment) {
    return proxy_for(scheme, host, [&](const char* name) {
        const auto entry = environment.find(name);
        return entry == environment.end() ? nullptr : entry->second.c_str();
    });
}

TEST(Proxy, DependsOnTheScheme) {
    const std::map<std::string, std::string> both{{"http_proxy", "http://p:1"}, {"https_proxy", "http://s:2"}};
    EXPECT_EQ(chosen("http", "lab.example.com", both), "http://p:1");
    EXPECT_EQ(chosen("https", "lab.example.com", both), "http://s:2");
    EXPECT_EQ(chosen("https", "lab.example.com", {{"http_proxy", "http://p:1"}}), "");
    EXPECT_EQ(chosen("https", "lab.example.com", {}), "");
}

TEST(Proxy, LowerCaseVariablesWinOverUpperCase) {
    EXPECT_EQ(chosen("https", "h", {{"HTTPS_PROXY", "http://upper"}}), "http://upper");
    EXPECT_EQ(chosen("https", "h", {{"HTTPS_PROXY", "http://upper"}, {"https_proxy", "http://lower"}}), "http://lower");
    EXPECT_EQ(chosen("https", "h", {{"HTTPS_PROXY", "http://upper"}, {"https_proxy", ""}}), "http://upper");
}

TEST(Proxy, LoopbackNeverGoesThroughOne) {
    const std::map<std::string, std::string> set{{"http_proxy", "http://p"}};
    for (const auto* host : {"localhost", "127.0.0.1", "127.8.8.8", "::1"}) EXPECT_EQ(chosen("http", host, set), "");
}

TEST(Proxy, ListedHostsAreExempt) {
    const auto with_list = [](const std::string& host, const std::string& list) {
        return chosen("http", host, {{"http_proxy", "http://p"}, {"no_proxy", list}});
    };
    EXPECT_EQ(with_list("lab.example.com", "lab.example.com"), "");
    EXPECT_EQ(with_list("lab.example.com", "example.com"), "");
    EXPECT_EQ(with_list("lab.example.com", ".example.com"), "");
    EXPECT_EQ(with_list("lab.example.com", "other.org, example.com ,third.net"), "");
    EXPECT_EQ(with_list("lab.example.com", "*"), "");
    EXPECT_EQ(with_list("badexample.com", "example.com"), "http://p");
    EXPECT_EQ(with_list("example.com.evil.org", "example.com"), "http://p");
    EXPECT_EQ(with_list("lab.example.com", " , ,. ,"), "http://p");
    EXPECT_EQ(with_list("lab.example.com", ""), "http://p");
}

TEST(Proxy, UpperCaseListOfExemptHostsCountsToo) {
    EXPECT_EQ(chosen("http", "h", {{"http_proxy", "http://p"}, {"NO_PROXY", "h"}}), "");
}

}  // namespace
}  // namespace trebuchet
