#include "common/repository_file/name_pattern.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

bool matches(const std::string& pattern, const std::string& name) {
    const auto parsed = NamePattern::parse(pattern);
    EXPECT_TRUE(parsed) << pattern << ": " << (parsed ? "" : parsed.error().message());
    return parsed && parsed->matches(name);
}

std::string refusal(const std::string& pattern) {
    const auto parsed = NamePattern::parse(pattern);
    return parsed ? "" : parsed.error().message();
}

TEST(NamePattern, MatchesTheWholeName) {
    EXPECT_TRUE(matches("rpi4", "rpi4"));
    EXPECT_FALSE(matches("rpi4", "rpi40"));
    EXPECT_FALSE(matches("rpi4", "my-rpi4"));
    EXPECT_TRUE(matches("x86_64-.*", "x86_64-"));
    EXPECT_TRUE(matches("/smoke-.*", "/smoke-a/b"));
    EXPECT_FALSE(matches("a|ab", "abc"));
    EXPECT_TRUE(matches("a|ab", "ab")) << "the longer alternative, too, as in fullmatch";
    EXPECT_FALSE(matches(".*", "a\nb")) << "a dot is no newline";
    EXPECT_FALSE(matches("rpi$", "rpi\n"));
    EXPECT_TRUE(matches("^rpi$|^bench$", "bench"));
}

TEST(NamePattern, TakesWhatPythonAndRe2ReadInTheSameWay) {
    EXPECT_TRUE(matches("(?i)RPI[0-9]{1,3}", "rpi42"));
    EXPECT_TRUE(matches("(?:a|b)+?c{2,}", "abcc"));
    EXPECT_TRUE(matches("[^-a-c.]x\\.y", "dx.y"));
    EXPECT_TRUE(matches("[]a]+", "]a"));
    EXPECT_TRUE(matches("\\x41\\-\\+\\t", "A-+\t"));
    EXPECT_TRUE(matches("grün.", "grünß"));
    EXPECT_TRUE(matches("(a*)*b", "aab"));
}

TEST(NamePattern, RefusesWhatMeansSomethingElseInPython) {
    for (const auto* pattern : {"a{,3}",
                                "a{",
                                "a{01}",
                                "[[:alpha:]]",
                                "\\d+",
                                "\\w",
                                "\\s",
                                "\\bx",
                                "\\Qa\\E",
                                "a\\z",
                                "a\\Z",
                                "\\pL",
                                "\\p{Greek}",
                                "a(?i)b",
                                "(?x)a",
                                "(?s)a",
                                "(?=a)a",
                                "(?!a)b",
                                "(?<=a)b",
                                "(a)\\1",
                                "(?P=n)",
                                "(?P<n>a)",
                                "a++",
                                "a*+",
                                "a**",
                                "a{2}{3}",
                                "*a",
                                "+",
                                "(|*)",
                                "a{1001}",
                                "a{3,2}",
                                "[a-c-e]",
                                "[a--b]",
                                "[a&&b]",
                                "[a||b]",
                                "[\\d]",
                                "[a",
                                "(a",
                                "a)",
                                "a\\",
                                "a$b",
                                "(a$)",
                                "^*",
                                "\\A",
                                "\\u0041",
                                "\\07",
                                "\\C",
                                "\\_",
                                "(?#c)a",
                                "(?:(?:(?:a{1000}){1000}){1000})",
                                "[z-a]",
                                "a\n",
                                ""}) {
        EXPECT_NE(refusal(pattern), "") << pattern;
    }
    EXPECT_THAT(refusal("rpi\\d"), testing::AllOf(HasSubstr("\\d at character 4"), HasSubstr("[0-9]")));
    EXPECT_THAT(refusal("(?i)grün"), HasSubstr("(?i)"));
}

TEST(NamePattern, IsBounded) {
    EXPECT_NE(refusal(std::string(longest_pattern_text + 1, 'a')), "");
    EXPECT_EQ(refusal(std::string(longest_pattern_text, 'a')), "");
    EXPECT_FALSE(matches(".*", std::string(longest_matched_name + 1, 'a')));
    EXPECT_FALSE(matches("(a*)*(a*)*(a*)*b", std::string(longest_matched_name, 'a')));
    EXPECT_THAT(refusal("((.{900}){900}){900}"), HasSubstr("pattern"));
    EXPECT_NE(refusal(std::string(30, '(') + "a" + std::string(30, ')')), "");
}

}  // namespace
}  // namespace trebuchet
