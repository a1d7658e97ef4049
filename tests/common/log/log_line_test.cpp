#include "common/log/log_line.hpp"

#include "common/mask/mask_set.hpp"
#include "tests/fakes/masked.hpp"

#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

std::string line(std::string_view text, std::size_t limit = 1000) {
    return one_line(masked(text), limit);
}

TEST(LogLine, IsAlwaysOneLine) {
    EXPECT_EQ(line("plain text: 100% {} \\"), "plain text: 100% {} \\");
    EXPECT_EQ(line("one\ntwo\r\nthree\tfour"), "one\\ntwo\\x0d\\nthree\\tfour");
    EXPECT_EQ(line(std::string_view("\x1b[31m\0\x7f", 7)), "\\x1b[31m\\x00\\x7f");
    EXPECT_EQ(line("\xC2\x9B"
                   "31m\xC2\x85"),
              "\\u009b31m\\u0085");
    EXPECT_EQ(line("a\xE2\x80\xA8"
                   "b\xE2\x80\xA9"),
              "a\\u2028b\\u2029");
    EXPECT_EQ(line("Zürich — 東京\xC2\xA0"), "Zürich — 東京\xC2\xA0");
}

TEST(LogLine, IsValidUtf8) {
    EXPECT_EQ(line("a\xff"
                   "b\xC2"),
              "a\xEF\xBF\xBD"
              "b\xEF\xBF\xBD");
}

TEST(LogLine, IsCutBetweenCharacters) {
    EXPECT_EQ(line("12345", 5), "12345");
    EXPECT_EQ(line("123456789", 5), "12345… (4 more bytes)");
    EXPECT_EQ(line("1234é", 5), "1234… (2 more bytes)");
}

TEST(LogLine, RecognisesTheJournalByItsDeviceAndInode) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    struct stat info {};
    ASSERT_EQ(::fstat(ends[1], &info), 0);
    const auto stream = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
    EXPECT_TRUE(is_journal(ends[1], stream.c_str()));
    EXPECT_FALSE(is_journal(ends[1], (stream + "0").c_str()));
    EXPECT_FALSE(is_journal(ends[1], ""));
    EXPECT_FALSE(is_journal(ends[1], nullptr));
    ::close(ends[0]);
    ::close(ends[1]);
    EXPECT_FALSE(is_journal(ends[1], stream.c_str()));
}

}  // namespace
}  // namespace trebuchet
