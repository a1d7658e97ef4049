#include "tests/common/mask/masked_text.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

/// What any masker of logs should pass: collected from what users and test suites of such programs care about. How
/// other programs print a value is in forms.json; places where a value comes out are tested where they are.
/// M is a mask, | a boundary between two writes; each text is also fed whole, byte by byte, and cut at random.
using test::fed_in_pieces;
using test::mask_of;
using test::masked;
using test::set_of;

TEST(MaskingCases, EmptyValuesChangeNothing) {
    EXPECT_EQ(masked({""}, "a |secret\n"), "a secret\n");
    EXPECT_EQ(masked({"", "", ""}, "a |secret\n"), "a secret\n");
}

TEST(MaskingCases, AValueAfterItsOwnFirstLetter) {
    EXPECT_EQ(masked({"secrets"}, "ssecrets"), "sM");
    EXPECT_EQ(masked({"secrets"}, "secretssecrets"), "MM");
}

TEST(MaskingCases, TwoValuesSplitByWrites) {
    EXPECT_EQ(masked({"foo", "bar"}, "xfo|ox y|bary ffo|o ba|rr"), "xMx yMy fM Mr");
}

TEST(MaskingCases, AValueThatIsAPrefixOrSuffixOfAnotherInEitherOrder) {
    for (const auto& values : {std::vector<std::string>{"token", "token-long"}, {"token-long", "token"}}) {
        EXPECT_EQ(masked(values, "a token-|long b token c"), "a M b M c");
    }
    for (const auto& values : {std::vector<std::string>{"long", "token-long"}, {"token-long", "long"}}) {
        EXPECT_EQ(masked(values, "a token-|long b long c"), "a M b M c");
    }
}

TEST(MaskingCases, Overlaps) {
    EXPECT_EQ(masked({"ipsum dolor", "dolor sit"}, "Lorem ipsum dolor sit amet"), "Lorem M amet");
    EXPECT_EQ(masked({"aaa"}, "aaaaa"), "M");
}

TEST(MaskingCases, ALongNearMissHidesNoHitsInsideIt) {
    EXPECT_EQ(masked({"abcdefghijklmnop", "efg", "klm"}, "abcdefghijklmno|X"), "abcdMhijMnoX");
}

TEST(MaskingCases, AMatchThatBeginsAgainAtABoundary) {
    EXPECT_EQ(masked({"aab"}, "aa|ab"), "aM");
}

TEST(MaskingCases, AnUnfinishedValueAtTheEnd) {
    EXPECT_EQ(masked({"secret"}, "secre"), "secre");
}

TEST(MaskingCases, OnlyAPossibleStartIsHeld) {
    Masker masker(set_of({"secret"}));
    EXPECT_EQ(masker.write("login: ").bytes(), "login: ");
    EXPECT_EQ(masker.write("user\n").bytes(), "user\n");
    EXPECT_EQ(masker.write("the s").bytes(), "the ");
    EXPECT_EQ(masker.write("u").bytes(), "su");
}

TEST(MaskingCases, ValuesAreCaseSensitiveAndNotRegularExpressions) {
    EXPECT_EQ(masked({"Secret"}, "secret SECRET Secret"), "secret SECRET M");
    EXPECT_EQ(masked({"a.c", "x*y+", "[q]{2}"}, "abc xxyy qq a.c x*y+ [q]{2}"), "abc xxyy qq M M M");
}

TEST(MaskingCases, TheInsertedMaskIsNotMaskedAgain) {
    EXPECT_EQ(masked({"secret", "*", "a", "b", "c", "d", "e", "f", "0", "1"}, "secret", 1), "M");
}

TEST(MaskingCases, LongAndManyValuesAndBytesThatAreNotUtf8) {
    std::string value;
    while (value.size() < 16001) value += std::to_string(value.size() * 7919) + ".";
    EXPECT_EQ(masked({value}, "<" + value + ">"), "<M>");
    EXPECT_EQ(masked({"pässwörd"}, "\xFF p\xC3|\xA4sswörd \xC3"), "\xFF M \xC3");
    std::vector<std::string> thousand;
    thousand.reserve(1000);
    for (int i = 0; i < 1000; ++i) thousand.push_back("value<" + std::to_string(i) + ">");
    EXPECT_EQ(fed_in_pieces(set_of(thousand), {"value<7> value<1000> value<999>"}).size(), 10U + 1U + 11U + 1U + 10U);
}

TEST(MaskingCases, TrimmedAndUntrimmedValues) {
    EXPECT_EQ(masked({"s3cret-value\n"}, "<s3cret-value>"), "<M>");
    EXPECT_EQ(masked({"\"s3cret-value\""}, "<s3cret-value> <\"s3cret-value\">"), "<M> <M>");
    EXPECT_EQ(masked({"'s3cret-value'\r\n"}, "<s3cret-value>"), "<M>");
}

TEST(MaskingCases, ValuesOfSeveralLines) {
    const std::vector<std::string> values{"first-line\n{\nsecond line\n"};
    for (const auto* text :
         {"first-line\n{\nsecond line", "first-line\r\n{\r\nsecond line", "first-line\r\r\n{\r\r\nsecond line",
          "first-line { second line", "first-line\\n{\\nsecond line", "first-line\n  {\n  second line"}) {
        EXPECT_EQ(masked(values, "<" + std::string(text) + ">"), "<M>") << text;
    }
    EXPECT_EQ(masked(values, "{ second line }"), "{ M }");
    EXPECT_EQ(masked({"{\n---\n   \n}"}, "{ --- }"), "{ --- }");
}

TEST(MaskingCases, StringsInValuesThatAreJson) {
    EXPECT_EQ(masked({R"({"user": "robot", "key": ["s3cr3t-leaf", true]})"}, "robot s3cr3t-leaf true"), "M M true");
    EXPECT_EQ(masked({R"({"a": "on", "b": "admin"})"}, "on admin"), "on admin");
}

TEST(MaskingCases, VeryShortValuesAreNamedOnceAndNotMasked) {
    const auto set = set_of({"ab", "ab"});
    EXPECT_EQ(set->too_short().size(), 2U) << "by name";
    EXPECT_EQ(fed_in_pieces(set, {"ab"}), "ab");
}

TEST(MaskingCases, EveryFormHasTheMaskOfItsValue) {
    const auto set = set_of({"it's a secret"});
    for (const auto* form :
         {"aXQncyBhIHNlY3JldA==", "697427732061207365637265740a", "it%27s%20a%20secret", "it'\\''s a secret",
          "it&#39;s a secret", "it''s a secret", "it\\'s a secret", "it's a\n secret", "it's \x1b[1ma secret"}) {
        EXPECT_THAT(fed_in_pieces(set, {form}), testing::StartsWith(mask_of(*set, "it's a secret"))) << form;
    }
}

}  // namespace
}  // namespace trebuchet
