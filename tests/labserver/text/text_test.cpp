#include "tests/labserver/api/schema.hpp"
#include "tests/labserver/net/cookie.hpp"
#include "tests/labserver/net/url.hpp"
#include "tests/labserver/text/base64.hpp"
#include "tests/labserver/text/iso_time.hpp"
#include "tests/labserver/text/random_id.hpp"

#include <gtest/gtest.h>

namespace trebuchet::labserver {
namespace {

using namespace std::string_literals;

TEST(Base64, MatchesTheVectorsOfTheRfc) {
    const std::vector<std::pair<std::string, std::string>> vectors = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, coded] : vectors) {
        EXPECT_EQ(base64url(plain), coded);
        EXPECT_EQ(base64_decoded(coded), plain);
        EXPECT_EQ(base64_decoded(coded + "=="), plain);
    }
    EXPECT_EQ(base64url("\xfb\xff"), "-_8");
    EXPECT_EQ(base64_decoded("+/8="), "\xfb\xff");
}

TEST(Base64, RefusesMalformedText) {
    for (const auto* bad : {"a", "a b=", "Zm9v!", "\xff\xff", "Zg=Zg"})
        EXPECT_EQ(base64_decoded(bad), std::nullopt) << bad;
}

TEST(Url, DecodesQueriesAndPaths) {
    const Query expected = {{"queue", "a b"}, {"queue", "c+d"}, {"x", ""}, {"", "y"}};
    EXPECT_EQ(query_of("/p?queue=a+b&&queue=c%2Bd&x&=y"), expected);
    EXPECT_EQ(query_of("/p"), Query());
    EXPECT_EQ(segments_of("/v1/job/a%2Fb%20/"), (std::vector<std::string>{"v1", "job", "a/b "}));
    EXPECT_EQ(segments_of("/v1//x"), (std::vector<std::string>{"v1", "", "x"}));
    EXPECT_EQ(percent_decoded("%41%zz%4"), "A%zz%4");
    EXPECT_EQ(path_of("/a/b?c#d"), "/a/b");
}

TEST(Url, RecognizesAbsoluteUrls) {
    for (const auto* good :
         {"http://example.com", "https://example.com:8443/x?y#z", "HTTP://Example.COM/", "http://localhost/x",
          "http://127.0.0.1:80/x", "http://[::1]:80/x", "ftp://user:pw@example.org/f", "http://a-b.c.de./"}) {
        EXPECT_TRUE(is_url(good)) << good;
    }
    for (const auto* bad :
         {"", "example.com", "//example.com", "http://", "http:///x", "file:///etc/passwd", "http://host/x",
          "http://a b.com/", "http://-a.com/", "http://a..com/", "http://example.com:port/", "http://[nonsense]/",
          "ssh://example.com", "http://example.com:1234567/", "http://[::1"}) {
        EXPECT_FALSE(is_url(bad)) << bad;
    }
}

TEST(Cookie, DecodesToWhatWasEncoded) {
    for (const auto& name : {"a1"s, "rack 1"s, "a;b,c\"d\\e"s, "\r\nSet-Cookie: x"s, "\xff\x00z"s, ""s, "\"q\""s}) {
        const auto coded = encode_cookie_value(name);
        EXPECT_EQ(coded.find_first_of("\r\n;"), std::string::npos);
        EXPECT_EQ(cookie_value("other=1; agent_name=" + coded + "; last=x", "agent_name"), name);
    }
    EXPECT_EQ(encode_cookie_value("plain-1"), "plain-1");
    EXPECT_EQ(cookie_value("xagent_name=1", "agent_name"), "");
}

TEST(IsoTime, ReadsTheCommonForms) {
    const auto base = parse_iso_time("2026-01-02T03:04:05Z");
    ASSERT_TRUE(base.has_value());
    EXPECT_EQ(zulu(*base), "2026-01-02T03:04:05Z");
    EXPECT_EQ(doubly_zoned(*base), "2026-01-02T03:04:05+00:00Z");
    for (const auto* same : {"2026-01-02T03:04:05", "2026-01-02 03:04:05+00:00", "2026-01-02T05:34:05+02:30",
                             "2026-01-01T22:04:05-0500", "2026-01-02T03:04:05.000000+00"}) {
        EXPECT_EQ(parse_iso_time(same), base) << same;
    }
    EXPECT_EQ(*parse_iso_time("2026-01-02T03:04:05.5Z") - *base, std::chrono::milliseconds(500));
}

TEST(IsoTime, RefusesMalformedTimes) {
    for (const auto& bad :
         {""s, "now"s, "2026-01-02"s, "2026-13-02T03:04:05Z"s, "2026-02-30T03:04:05Z"s, "2026-01-02T25:04:05Z"s,
          "2026-01-02T03:04:05Zjunk"s, "2026-01-02T03:04:05."s, "2026-01-02T03:04:05+2"s, "2026-01-02T03:04:05+02:"s,
          "0001-01-01T00:00:00Z"s, "9999-01-01T00:00:00Z"s, std::string(100'000, '2')}) {
        EXPECT_EQ(parse_iso_time(bad), std::nullopt) << bad.substr(0, 40);
    }
}

TEST(Duration, ReadsNumbersAndUnits) {
    EXPECT_EQ(parse_duration("3600"), 3600);
    EXPECT_EQ(parse_duration(" 2h30m "), 9000);
    EXPECT_EQ(parse_duration("2D 5 hours 30Min 1s"), 192601);
    for (const auto* bad :
         {"", " ", "h", "5x", "-5m", "-5", "5m3", "1h-30m", "99999999999999999999", "99999999999999999h"}) {
        EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
    }
}

TEST(RandomJobId, IsAVersion4Uuid) {
    const auto id = random_job_id();
    ASSERT_EQ(id.size(), 36U);
    EXPECT_EQ(id[14], '4');
    EXPECT_NE(id, random_job_id());
}

}  // namespace
}  // namespace trebuchet::labserver
