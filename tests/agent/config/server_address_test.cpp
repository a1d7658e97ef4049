#include "agent/config/server_address.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(ServerAddress, TakesHostsAndUrls) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"testflinger.example.com", "http://testflinger.example.com"},
        {"localhost:5000", "http://localhost:5000"},
        {"httpserver:8000", "http://httpserver:8000"},
        {"HTTPS://Lab.example.com/", "https://Lab.example.com"},
        {"http://10.0.0.1:80", "http://10.0.0.1:80"},
        {"http://my_host-1:65535///", "http://my_host-1:65535"},
        {"https://[fe80::1]:8443", "https://[fe80::1]:8443"},
        {"[::1]", "http://[::1]"},
    };
    for (const auto& [text, origin] : cases) {
        const auto address = parse_server_address(text);
        ASSERT_TRUE(address) << text << ": " << address.error().message();
        EXPECT_EQ(address->origin, origin);
    }
}

TEST(ServerAddress, KeepsThePathApart) {
    EXPECT_EQ(parse_server_address("https://lab.example.com/testflinger/v1")->path, "/testflinger/v1");
    EXPECT_EQ(parse_server_address("lab.example.com/")->path, "/");
    EXPECT_EQ(parse_server_address("lab.example.com")->path, "");
}

TEST(ServerAddress, SaysWhatIsWrong) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"ftp://lab", "found \"ftp://lab\", expected an address that starts with http:// or https://"},
        {"://lab", "found \"://lab\", expected an address that starts with http:// or https://"},
        {"", "found \"\", expected a host, such as https://testflinger.example.com"},
        {"https://", "found \"https://\", expected a host, such as https://testflinger.example.com"},
        {"http://:5000", "found \"http://:5000\", expected a host, such as https://testflinger.example.com"},
        {"lab one", "found \"lab one\", expected a host name or an address, an IPv6 address in brackets"},
        {"lab\r\nHost: x",
         "found \"lab\\x0d\\x0aHost: x\", expected a host name or an address, an IPv6 address in brackets"},
        {"fe80::1", "found \"fe80::1\", expected one colon before the port, and an IPv6 address in brackets"},
        {"[fe80::1", "found \"[fe80::1\", expected a host name or an address, an IPv6 address in brackets"},
        {"lab:", "found \"lab:\", expected a port from 1 to 65535 after the colon"},
        {"lab:0", "found \"lab:0\", expected a port from 1 to 65535 after the colon"},
        {"lab:65536", "found \"lab:65536\", expected a port from 1 to 65535 after the colon"},
        {"lab:http", "found \"lab:http\", expected a port from 1 to 65535 after the colon"},
        {"lab/?x", "found \"lab/?x\", expected an address without ? and #"},
    };
    for (const auto& [text, message] : cases) {
        const auto address = parse_server_address(text);
        ASSERT_FALSE(address) << text;
        EXPECT_EQ(address.error().message(), message);
    }
}

TEST(ServerAddress, QuotesNoPassword) {
    const auto address = parse_server_address("https://agent:hunter2@lab.example.com");
    ASSERT_FALSE(address);
    EXPECT_EQ(address.error().message(), "found a user or a password in the address, expected only a host and a port");
}

}  // namespace
}  // namespace trebuchet
