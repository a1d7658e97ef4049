#include "provision/job/duration.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

class GoodDuration : public testing::TestWithParam<std::pair<std::string, int>> {};

TEST_P(GoodDuration, IsReadInSeconds) {
    const auto duration = parse_duration(GetParam().first);
    ASSERT_TRUE(duration) << duration.error().message();
    EXPECT_EQ(duration->count(), GetParam().second);
}

INSTANTIATE_TEST_SUITE_P(Duration, GoodDuration,
                         testing::Values(std::pair{"0", 0}, std::pair{"3600", 3600}, std::pair{"90s", 90},
                                         std::pair{"5m", 300}, std::pair{"2h30m", 9000}, std::pair{"1d", 86400},
                                         std::pair{"1d2h3m4s", 93784}, std::pair{"1h1s", 3601}));

class BadDuration : public testing::TestWithParam<std::string> {};

TEST_P(BadDuration, IsRefusedWithAnExample) {
    const auto duration = parse_duration(GetParam());
    ASSERT_FALSE(duration);
    EXPECT_NE(duration.error().message().find("2h30m"), std::string::npos) << duration.error().message();
}

INSTANTIATE_TEST_SUITE_P(Duration, BadDuration,
                         testing::Values("", "-1", "h", "2h30", "30m2h", "1h1h", "1.5h", "2x", " 5", "5 ", "0x10",
                                         "99999999999999999999", "9999999999", "3000d3000d", "4000d", "1h-5m"));

}  // namespace
}  // namespace trebuchet
