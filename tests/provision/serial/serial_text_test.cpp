#include "provision/serial/serial_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

TEST(SerialPatternTest, MatchesBytes) {
    const std::string text("boot\0\xff login: ", 14);
    const auto literal = SerialPattern::literal("login").find(text);
    ASSERT_TRUE(literal);
    EXPECT_EQ(literal->begin, 7U);
    EXPECT_EQ(literal->end, 12U);
    const auto regex = SerialPattern::regex("log[a-z]+").value().find(text);
    ASSERT_TRUE(regex);
    EXPECT_EQ(regex->begin, 7U);
    EXPECT_FALSE(SerialPattern::regex("^login").value().find(text));
    EXPECT_TRUE(SerialPattern::regex("^login").value().find("boot\nlogin:"));
}

TEST(SerialPatternTest, RefusesAnInvalidExpression) {
    const auto pattern = SerialPattern::regex("log(in");
    ASSERT_FALSE(pattern);
    EXPECT_THAT(pattern.error().message(), HasSubstr("\"log(in\""));
}

TEST(SerialWindowTest, FindsTextSplitBetweenReads) {
    SerialWindow window;
    window.add("U-Boot\nlog");
    EXPECT_FALSE(window.take(SerialPattern::literal("login:")));
    window.add("in: more");
    EXPECT_EQ(window.take(SerialPattern::literal("login:")), "U-Boot\nlogin:");
    EXPECT_FALSE(window.take(SerialPattern::literal("login:")));
    EXPECT_EQ(window.take(SerialPattern::literal("more")), " more");
}

TEST(SerialWindowTest, ForgetsOldOutput) {
    SerialWindow window;
    window.add("early ");
    for (int i = 0; i < 1100; ++i) window.add(std::string(1024, 'x'));
    EXPECT_FALSE(window.take(SerialPattern::literal("early")));
    EXPECT_EQ(window.take(SerialPattern::regex("x$").value())->size(), std::size_t{1024} * 1024);
}

TEST(SerialWindowTest, KnowsItsLastLine) {
    SerialWindow window;
    EXPECT_EQ(window.last_line(), "");
    window.add("one\r\n\r\n");
    EXPECT_EQ(window.last_line(), "one");
    window.add("Kernel panic\r\n");
    EXPECT_EQ(window.last_line(), "Kernel panic");
}

TEST(LineStamperTest, StampsEachLineOnceAtItsStart) {
    LineStamper stamper;
    const std::chrono::system_clock::time_point first{std::chrono::seconds(1'800'000'000)};
    const auto second = first + std::chrono::seconds(1);
    EXPECT_EQ(stamper.stamp("a", first), "[2027-01-15T08:00:00.000000+00:00] a");
    EXPECT_EQ(stamper.stamp("b\n", second), "b\n");
    EXPECT_EQ(stamper.stamp("\nc\n", second),
              "[2027-01-15T08:00:01.000000+00:00] \n[2027-01-15T08:00:01.000000+00:00] c\n");
    EXPECT_EQ(stamper.stamp("", second), "");
}

}  // namespace
}  // namespace trebuchet
