#include "tests/labserver/options.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace trebuchet::labserver {
namespace {

tl::expected<Options, EarlyExit> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "trebuchet-labserver");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

void expect_refused(const std::vector<const char*>& arguments, const std::string& because) {
    const auto parsed = parse(arguments);
    ASSERT_FALSE(parsed.has_value()) << because;
    EXPECT_EQ(parsed.error().code, 2);
    EXPECT_NE(parsed.error().text.find(because), std::string::npos) << parsed.error().text;
}

TEST(Options, TakesAllOfThem) {
    const auto options = parse({"--listen", "127.0.0.1:8443", "--cert", "c.pem", "--key", "k.pem", "--clients",
                                "c.json", "--access-token-seconds", "5", "--refresh-token-seconds", "10", "--data",
                                "lab.db", "--fault", "close", "--fault", "status=503 GET /v1/job x3"});
    ASSERT_TRUE(options.has_value());
    EXPECT_EQ(options->address, "127.0.0.1");
    EXPECT_EQ(options->port, 8443);
    ASSERT_TRUE(options->tls.has_value());
    EXPECT_EQ(options->tls->certificate, "c.pem");
    EXPECT_EQ(options->tls->key, "k.pem");
    EXPECT_EQ(options->clients, "c.json");
    EXPECT_EQ(options->data, "lab.db");
    ASSERT_EQ(options->faults.size(), 2U);
    EXPECT_EQ(options->faults[0].kind, FaultKind::close);
    EXPECT_EQ(options->faults[1].target, "/v1/job");
    EXPECT_EQ(options->lifetimes.access, std::chrono::seconds(5));
    EXPECT_EQ(options->lifetimes.refresh, std::chrono::seconds(10));
}

TEST(Options, DefaultsToPlainHttpAndTheRealServersLifetimes) {
    const auto options = parse({"--listen", "[::1]:0"});
    ASSERT_TRUE(options.has_value());
    EXPECT_EQ(options->address, "::1");
    EXPECT_FALSE(options->tls.has_value());
    EXPECT_FALSE(options->clients.has_value());
    EXPECT_FALSE(options->data.has_value());
    EXPECT_TRUE(options->faults.empty());
    EXPECT_EQ(options->lifetimes.access, std::chrono::seconds(600));
    EXPECT_EQ(options->lifetimes.refresh, std::chrono::hours(6 * 24));
}

TEST(Options, SaysWhatIsWrong) {
    expect_refused({}, "--listen");
    expect_refused({"--export"}, "--data or --clients");
    for (const auto* bad :
         {"8443", ":8443", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "[]:80"}) {
        expect_refused({"--listen", bad}, "ADDRESS:PORT");
    }
    expect_refused({"--listen", "h:0", "--cert", "c"}, "--key");
    expect_refused({"--listen", "h:0", "--key", "k"}, "--cert");
    expect_refused({"--listen", "h:0", "--bogus"}, "--bogus");
    expect_refused({"--listen", "h:0", "extra"}, "extra");
    expect_refused({"--listen", "h:0", "--fault", "flood"}, "fault \"flood\"");
    expect_refused({"--listen", "h:0", "--access-token-seconds", "0"}, "seconds");
    expect_refused({"--listen", "h:0", "--access-token-seconds", "soon"}, "soon");
}

TEST(Options, ShowsHelpAndVersion) {
    for (const auto* flag : {"--help", "--version"}) {
        const auto parsed = parse({flag});
        ASSERT_FALSE(parsed.has_value());
        EXPECT_EQ(parsed.error().code, 0);
        EXPECT_NE(parsed.error().text.find("trebuchet-labserver"), std::string::npos);
    }
}

}  // namespace
}  // namespace trebuchet::labserver
