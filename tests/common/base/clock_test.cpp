#include "common/base/clock.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;

TEST(Iso8601, WritesUtcWithMicroseconds) {
    const auto time = system_clock::from_time_t(1795206660);
    EXPECT_EQ(iso8601(time), "2026-11-20T20:31:00.000000+00:00");
    EXPECT_EQ(iso8601(time + 1500us), "2026-11-20T20:31:00.001500+00:00");
    EXPECT_EQ(iso8601(time + 999999us), "2026-11-20T20:31:00.999999+00:00");
}

TEST(Iso8601, RoundsDownBeforeTheEpochToo) {
    EXPECT_EQ(iso8601(system_clock::from_time_t(0)), "1970-01-01T00:00:00.000000+00:00");
    EXPECT_EQ(iso8601(system_clock::from_time_t(0) - 1us), "1969-12-31T23:59:59.999999+00:00");
}

TEST(SystemClock, GivesBothTimes) {
    const SystemClock clock;
    const auto before = clock.now();
    EXPECT_LE(before, clock.now());
    EXPECT_GT(clock.wall_time(), system_clock::from_time_t(0));
}

TEST(Iso8601, ParsesWhatItWrites) {
    const auto time = std::chrono::system_clock::from_time_t(1'795'206'660);
    EXPECT_EQ(parse_iso8601(iso8601(time)), time);
    const auto text = iso8601(time).substr(0, 19);
    for (const auto* end : {"", "Z", ".5Z", ".123456+00:00", "+0000"})
        EXPECT_EQ(parse_iso8601(text + end), time) << end;
    EXPECT_EQ(parse_iso8601(text + "+02:00"), time - std::chrono::hours(2));
    for (const auto* wrong : {"", "today", "2026-11-20", "2026-13-20T00:00:00", "1013-01-01T00:00:00Z"})
        EXPECT_FALSE(parse_iso8601(wrong)) << wrong;
    EXPECT_FALSE(parse_iso8601(text + " and more"));
}

TEST(HttpDate, ParsesServerDates) {
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), system_clock::from_time_t(784111777));
    for (const auto* wrong : {"", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT+1",
                              "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 9999 08:49:37 GMT"})
        EXPECT_FALSE(parse_http_date(wrong)) << wrong;
}

}  // namespace
}  // namespace trebuchet
