#include "provision/process/last_line.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(LastLine, IsWhatStandsBehindAGreeting) {
    EXPECT_EQ(last_line("Welcome!\nextend 1h\n"), "extend 1h");
    EXPECT_EQ(last_line("  /dev/sdx \r\n\n"), "/dev/sdx");
    EXPECT_EQ(last_line("one"), "one");
    EXPECT_EQ(last_line(" \n\n"), "");
    EXPECT_EQ(last_line(""), "");
}

}  // namespace
}  // namespace trebuchet
