#include "common/mask/masker.hpp"

#include "tests/common/mask/masked_text.hpp"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::MatchesRegex;

using test::cut_at_random;
using test::fed_in_pieces;
using test::mask_of;
using test::masked;
using test::set_of;

std::string between(const std::string& front, const std::string& middle, const std::string& back) {
    return front + middle + back;
}

TEST(Masker, DoesNotChangeTextWithoutValues) {
    EXPECT_EQ(masked({}, "Lorem |ipsum"), "Lorem ipsum");
    EXPECT_EQ(masked({""}, "Lorem |ipsum"), "Lorem ipsum");
    EXPECT_EQ(masked({"", ""}, "Lorem |ipsum"), "Lorem ipsum");
    EXPECT_EQ(fed_in_pieces(MaskSet::none(), {"Lorem ", "ipsum"}), "Lorem ipsum");
}

TEST(Masker, HidesASecretAfterItsOwnFirstLetter) {
    EXPECT_EQ(masked({"secrets"}, "ssecrets"), "sM");
}

TEST(Masker, MasksAdjacentSecretsSeparately) {
    EXPECT_EQ(masked({"secrets"}, "secretssecrets"), "MM");
    EXPECT_EQ(masked({"foo", "bar"}, "foobar"), "MM");
}

TEST(Masker, HidesSecretsSplitAcrossWrites) {
    EXPECT_EQ(masked({"foo", "bar"}, "xfo|ox y|bary ffo|o ba|rr"), "xMx yMy fM Mr");
    EXPECT_EQ(masked({"aab"}, "aa|ab"), "aM");
    EXPECT_EQ(masked({"secret"}, "s|e|c|r|e|t"), "M");
}

TEST(Masker, NeverShowsTheTailOfAValueThatBeginsWithAnother) {
    for (const auto& values : {std::vector<std::string>{"secret", "secretsauce"}, {"secretsauce", "secret"}}) {
        EXPECT_EQ(masked(values, "secret|sauce"), "M");
        EXPECT_EQ(masked(values, "my secretsauce, my secret"), "my M, my M");
        EXPECT_EQ(masked(values, "secretsau|x"), "Msaux");
        const auto set = set_of(values);
        EXPECT_EQ(fed_in_pieces(set, {"secret", "sauce"}), mask_of(*set, "secretsauce"));
        EXPECT_EQ(fed_in_pieces(set, {"secret", "sour"}), mask_of(*set, "secret") + "sour");
    }
}

TEST(Masker, NeverShowsTheHeadOfAValueThatEndsWithAnother) {
    for (const auto& values : {std::vector<std::string>{"sauce", "secretsauce"}, {"secretsauce", "sauce"}}) {
        EXPECT_EQ(masked(values, "secret|sauce"), "M");
        EXPECT_EQ(masked(values, "secretsauce sauce"), "M M");
        EXPECT_EQ(masked(values, "secresauce"), "secreM");
    }
}

TEST(Masker, WritesOneMaskForARunOfOverlappingValues) {
    EXPECT_EQ(masked({"ipsum dolor", "dolor sit"}, "Lorem ipsum dolor sit amet"), "Lorem M amet");
    EXPECT_EQ(masked({"abc", "cde"}, "abc|de"), "M");
    EXPECT_EQ(masked({"aaa"}, "aaaaa"), "M");
    EXPECT_EQ(masked({"aaa"}, "aa|aa|a"), "M");
    EXPECT_EQ(masked({"abc", "bcd", "xyz"}, "abcdxyz"), "MM");
    EXPECT_EQ(masked({"abcdef", "cde"}, "abcdefcde"), "MM");
}

TEST(Masker, GivesARunTheMaskOfItsLeftmostThenLongestValue) {
    const auto set = set_of({"abc", "cde", "abcx", "bcxyz"});
    EXPECT_EQ(fed_in_pieces(set, {"-abcde-"}), between("-", mask_of(*set, "abc"), "-"));
    EXPECT_EQ(fed_in_pieces(set, {"-abcxyz-"}), between("-", mask_of(*set, "abcx"), "-"));
    EXPECT_EQ(fed_in_pieces(set, {"-abc", "xyz-"}), between("-", mask_of(*set, "abcx"), "-"));
    EXPECT_EQ(fed_in_pieces(set, {"-bcxyz-"}), between("-", mask_of(*set, "bcxyz"), "-"));
}

TEST(Masker, FindsHitsInsideALongNearMiss) {
    EXPECT_EQ(masked({"abcdefgh", "cde"}, "abcdef|X"), "abMfX");
    EXPECT_EQ(masked({"abcdefghij", "cde", "fgh"}, "abcdefghi|X"), "abMMiX");
}

TEST(Masker, EmitsAnIncompleteValueAtTheEnd) {
    EXPECT_EQ(masked({"secret"}, "secre"), "secre");
    EXPECT_EQ(masked({"secret", "secretsauce"}, "secretsauc"), "Msauc");
}

TEST(Masker, IsCaseSensitive) {
    EXPECT_EQ(masked({"secret"}, "Secret SECRET secret"), "Secret SECRET M");
}

TEST(Masker, DoesNotTreatValuesAsRegularExpressions) {
    EXPECT_EQ(masked({"a.c", "x*y", "(p)", "[q]", "^ab$", "\\d+"}, "abc xxy p q ab 42"), "abc xxy p q ab 42");
    EXPECT_EQ(masked({"a.c", "x*y", "(p)", "[q]", "^ab$", "\\d+"}, "a.c x*y (p) [q] ^ab$ \\d+"), "M M M M M M");
}

TEST(Masker, DoesNotMaskAMask) {
    const auto set = set_of({"secret", "**"}, 1);
    EXPECT_THAT(fed_in_pieces(set, {"secret"}), MatchesRegex("\\*\\*[0-9a-f]{6}\\*\\*"));
    EXPECT_EQ(masked({"secret", "a", "b", "c", "d", "e", "f"}, "secret", 1), "M");
}

TEST(Masker, HandlesOneByteValuesIfAllowed) {
    EXPECT_EQ(masked({"x"}, "axbxx|x", 1), "aMbMMM");
    EXPECT_EQ(masked({"x", "xy"}, "x|y x|x", 1), "M MM");
    EXPECT_EQ(masked({std::string(1, '\0')}, std::string("a\0b", 3), 1), "aMb");
}

TEST(Masker, HandlesEveryByteAsAValueOfItsOwn) {
    std::vector<std::string> values;
    values.reserve(256);
    for (int byte = 0; byte < 256; ++byte) values.emplace_back(1, static_cast<char>(byte));
    const auto set = set_of(values, 1);
    for (const auto& value : values) {
        const bool is_blank = std::string(" \t\r\n\v\f").find(value) != std::string::npos;
        EXPECT_EQ(set->mask(value).size(), is_blank ? 1U : 10U) << static_cast<int>(value[0]);
    }
}

TEST(Masker, HandlesBinaryValues) {
    const std::string value("\0\x01\xFF\0\xFE\0", 6);
    EXPECT_EQ(masked({value}, "a" + value + "b" + value), "aMbM");
    EXPECT_EQ(masked({value}, between("a", value.substr(0, 5), "b")), between("a", value.substr(0, 5), "b"));
}

TEST(Masker, AcceptsSplitMultiByteCharacters) {
    EXPECT_EQ(masked({"pässwörd→"}, "ä pässwörd→ ö"), "ä M ö");
    EXPECT_EQ(masked({"pässwörd→"}, "p\xC3|\xA4sswörd→"), "M");
}

TEST(Masker, PassesInvalidUtf8Through) {
    EXPECT_EQ(masked({"secret"}, "\xFF\xC3 secret \x80\xE2\x82"), "\xFF\xC3 M \x80\xE2\x82");
}

TEST(Masker, HandlesValuesOfManyThousandBytes) {
    std::mt19937 engine(7);
    std::string value;
    while (value.size() < 40000) value += static_cast<char>('a' + engine() % 26);
    EXPECT_EQ(masked({value}, "<" + value + ">"), "<M>");
    EXPECT_EQ(masked({value, "short"}, value.substr(1) + "short" + value), value.substr(1) + "MM");
    const auto near_miss = value.substr(0, 39999) + "#";
    EXPECT_EQ(masked({value}, near_miss), near_miss);
}

TEST(Masker, HandlesAThousandValues) {
    std::vector<std::string> values;
    std::string text;
    std::string expected;
    for (int i = 0; i < 1000; ++i) {
        values.push_back("value-" + std::to_string(i) + "-" + std::string(static_cast<std::size_t>(i % 60), '=') +
                         "end");
        text += "<" + values.back() + ">";
        expected += "<M>";
    }
    EXPECT_EQ(masked(values, text), expected);
}

TEST(Masker, DistinguishesValuesWithTheSameEnd) {
    const std::string end(40, 'z');
    const std::vector<std::string> values{"one" + end, "two" + end, "twotwo" + end, end.substr(0, 38), "three" + end};
    EXPECT_EQ(masked(values, "(one" + end + ")(twotwo" + end + ")(four" + end + ")(" + end.substr(0, 37) + ")"),
              "(M)(M)(fourM)(" + end.substr(0, 37) + ")");
    const auto set = set_of(values);
    EXPECT_EQ(set->mask("otwo" + end).bytes(), between("o", mask_of(*set, "two" + end), ""));
}

TEST(Masker, HoldsNothingThatCannotBeginAValue) {
    Masker masker(set_of({"secret", "sesame"}));
    EXPECT_EQ(masker.write("password: ").bytes(), "password: ");
    EXPECT_EQ(masker.held(), 0U);
    EXPECT_EQ(masker.write("se").bytes(), "");
    EXPECT_EQ(masker.held(), 2U);
    EXPECT_EQ(masker.write("a").bytes(), "sea");
    EXPECT_EQ(masker.held(), 0U);
}

TEST(Masker, HoldsLessThanTheLongestValueInDenseOverlaps) {
    const std::string value(100, 'a');
    Masker masker(set_of({value}));
    std::string out;
    for (int i = 0; i < 1000; ++i) {
        out += masker.write("a").bytes();
        ASSERT_LE(masker.held(), value.size() - 1);
    }
    EXPECT_EQ(out.size(), 10U) << "the run's mask does not wait for the run's end";
    out += masker.write("b").bytes();
    EXPECT_EQ(out.size(), 11U);
    EXPECT_EQ(masker.held(), 0U);
}

TEST(Masker, StartsANewStreamAfterTheEnd) {
    Masker masker(set_of({"secret", "aaa"}));
    EXPECT_EQ(masker.write("aaa sec").size(), 11U);
    EXPECT_EQ(masker.finish().bytes(), "sec");
    EXPECT_EQ(masker.write("ret").bytes(), "ret") << "the new stream does not continue the old one";
    EXPECT_EQ(masker.finish().bytes(), "");
}

TEST(Masker, CanBeMovedDuringAStream) {
    const auto set = set_of({"secret"});
    Masker first(set);
    EXPECT_EQ(first.write("a sec").bytes(), "a ");
    Masker second = std::move(first);
    EXPECT_EQ(second.write("ret").bytes(), mask_of(*set, "secret"));
}

TEST(Masker, OutlivesEveryOtherOwnerOfTheSet) {
    Masker masker(set_of({"secret"}));
    EXPECT_EQ(masker.write("secret").size(), 10U);
}

TEST(Masker, HandlesWritesOfManyMegabytes) {
    const auto set = set_of({"secret", std::string(5000, 'x')});
    std::string text;
    while (text.size() < 3 << 20U) text += "a line of a log without anything in it\n";
    const auto plain = text;
    text += "secret" + plain + std::string(5000, 'x');
    const auto expected = plain + mask_of(*set, "secret") + plain + mask_of(*set, std::string(5000, 'x'));
    EXPECT_TRUE(fed_in_pieces(set, {text}) == expected);
    EXPECT_TRUE(fed_in_pieces(set, cut_at_random(text, 300000, 1)) == expected);
}

TEST(Masker, FindsAValueAnywhereInALargeWrite) {
    const std::string value = "a secret of some forty bytes, more or less";
    const auto set = set_of({value});
    for (const std::size_t power : {14U, 15U, 16U, 17U, 18U}) {
        for (std::size_t back = 0; back <= value.size() + 1; ++back) {
            const std::string front((std::size_t{1} << power) - back, 'x');
            const auto expected = between(front, mask_of(*set, value), front);
            ASSERT_TRUE(fed_in_pieces(set, {between(front, value, front)}) == expected)
                << "2^" << power << " - " << back;
        }
    }
}

}  // namespace
}  // namespace trebuchet
