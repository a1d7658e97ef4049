#include "common/repository_file/encrypted_entry.hpp"

#include "common/secret/base64.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string base64(std::size_t bytes) {
    return std::string(std::string_view(base64_encoded(std::string(bytes, 'x'))));
}

std::string problem_of(const std::string& text) {
    const auto entry = parse_encrypted_entry(text);
    return entry ? "" : entry.error().message();
}

TEST(EncryptedEntry, HasAUserOrNone) {
    EXPECT_EQ(parse_encrypted_entry(base64(512))->user, "");
    EXPECT_EQ(parse_encrypted_entry("team-a," + base64(512))->user, "team-a");
    EXPECT_EQ(parse_encrypted_entry("team-a," + base64(1024))->text(), "team-a," + base64(1024));
}

TEST(EncryptedEntry, MayBeWrapped) {
    auto text = base64(512);
    for (std::size_t at = 76; at < text.size(); at += 77) text.insert(at, "\n");
    EXPECT_EQ(parse_encrypted_entry("team-\n  a , \t" + text + "\r\n")->text(), "team-a," + base64(512));
}

TEST(EncryptedEntry, SaysWhatElseThereIsWithoutQuotingIt) {
    EXPECT_THAT(problem_of(""), HasSubstr("empty"));
    EXPECT_THAT(problem_of("<paste the encrypted value here>"), HasSubstr("placeholder"));
    EXPECT_THAT(problem_of("hunter2!"), testing::AllOf(HasSubstr("not encrypted"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(problem_of("hunter2?,x"), testing::AllOf(HasSubstr("not encrypted"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(problem_of(base64(511)), HasSubstr("511 bytes"));
    EXPECT_THAT(problem_of("team,"), HasSubstr("0 bytes"));
    EXPECT_THAT(problem_of(base64(512 * 65)), HasSubstr("65 blocks"));
}

}  // namespace
}  // namespace trebuchet
