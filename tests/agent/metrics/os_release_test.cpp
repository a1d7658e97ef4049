#include "agent/metrics/os_release.hpp"

#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(OsRelease, IsTheCodename) {
    EXPECT_EQ(parse_os_release("PRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\n"
                               "VERSION_ID=\"24.04\"\n"
                               "VERSION_CODENAME=noble\n"
                               "UBUNTU_CODENAME=jammy\n"),
              "noble");
}

TEST(OsRelease, IsTheVersionWhereThereIsNoCodename) {
    EXPECT_EQ(parse_os_release("NAME=\"Ubuntu Core\"\nVERSION=\"24\"\nVERSION_ID=\"24\"\n"), "24");
    EXPECT_EQ(parse_os_release("VERSION_CODENAME=\nVERSION_ID=24"), "24");
    EXPECT_EQ(parse_os_release("VERSION_CODENAME=\"\"\nVERSION_ID=24"), "24");
}

TEST(OsRelease, IsEmptyWhereThereIsNeither) {
    EXPECT_EQ(parse_os_release(""), "");
    EXPECT_EQ(parse_os_release("\n\n"), "");
    EXPECT_EQ(parse_os_release("ID=arch\n"), "");
    EXPECT_EQ(parse_os_release("VERSION_ID"), "");
    EXPECT_EQ(parse_os_release("VERSION_ID="), "");
}

TEST(OsRelease, UnderstandsQuotesAndLineEnds) {
    EXPECT_EQ(parse_os_release("VERSION_ID='22.04'"), "22.04");
    EXPECT_EQ(parse_os_release("VERSION_ID=\"22.04\" \t\r\n"), "22.04");
    EXPECT_EQ(parse_os_release("VERSION_ID=\"22.04'\n"), "");
    EXPECT_EQ(parse_os_release("VERSION_ID=\"\n"), "");
}

TEST(OsRelease, TheLastAssignmentCounts) {
    EXPECT_EQ(parse_os_release("VERSION_ID=1\nVERSION_ID=2\n"), "2");
}

TEST(OsRelease, OtherNamesAndCommentsDoNotCount) {
    EXPECT_EQ(parse_os_release("#VERSION_ID=1\n VERSION_ID=2\nXVERSION_ID=3\nVERSION_IDX=4\n"), "");
}

TEST(OsRelease, LeavesOutWhatTheManualDoesNotAllow) {
    using std::string_literals::operator""s;
    for (const std::string& value :
         {"a b"s, "$(reboot)"s, "`id`"s, "a\\b"s, "a\"b"s, "n\0ble"s, "\x1b[1m"s, "nöble"s, "a,b"s, "a{b}"s}) {
        EXPECT_EQ(parse_os_release("VERSION_ID=" + value), "") << value;
        EXPECT_EQ(parse_os_release("VERSION_ID=1\nVERSION_CODENAME=" + value), "1") << value;
    }
}

TEST(OsRelease, BoundsValuesAndText) {
    EXPECT_EQ(parse_os_release("VERSION_ID=" + std::string(64, 'x')), std::string(64, 'x'));
    EXPECT_EQ(parse_os_release("VERSION_ID=" + std::string(65, 'x')), "");
    EXPECT_EQ(parse_os_release(std::string(65536, '\n') + "VERSION_ID=1"), "");
}

}  // namespace
}  // namespace trebuchet
