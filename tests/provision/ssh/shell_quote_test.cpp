#include "provision/ssh/shell_quote.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(ShellQuote, LeavesPlainWordsAlone) {
    EXPECT_EQ(shell_quote("/dev/sda1"), "/dev/sda1");
}

TEST(ShellQuote, QuotesAnythingAsOneWord) {
    EXPECT_EQ(shell_quote(""), "''");
    EXPECT_EQ(shell_quote("a b"), "'a b'");
    EXPECT_EQ(shell_quote("$(reboot)"), "'$(reboot)'");
    EXPECT_EQ(shell_quote("it's"), R"('it'\''s')");
}

}  // namespace
}  // namespace trebuchet
