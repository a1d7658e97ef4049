#include "common/mask/mask_set.hpp"

#include "tests/common/mask/mask_oracle.hpp"
#include "tests/common/mask/masked_text.hpp"
#include "tests/fakes/masked.hpp"

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

std::shared_ptr<const MaskSet> build(const std::vector<std::string>& values, const MaskOptions& options = {}) {
    auto set = MaskSet::build(test::named(values), options);
    EXPECT_TRUE(set.has_value()) << set.error().message();
    return *set;
}

std::string masked(const MaskSet& set, std::string_view text) {
    return std::string(set.mask(text).bytes());
}

std::string dashed(const std::string& text) {
    return std::string("-").append(text).append("-");
}

TEST(MaskSet, WritesMasksInTheReferencesFormat) {
    EXPECT_THAT(masked(*build({"secret"}), "secret"), MatchesRegex("\\*\\*[0-9a-f]{6}\\*\\*"));
}

TEST(MaskSet, GivesPlainSha256OnRequest) {
    // printf secret | sha256sum
    EXPECT_EQ(masked(*build({"secret"}, {3, MaskHash::sha256}), "secret"), "**2bb80d**");
}

TEST(MaskSet, MakesARandomKeyPerSet) {
    std::vector<std::string> masks;
    masks.reserve(5);
    for (int i = 0; i < 5; ++i) masks.push_back(masked(*build({"secret"}), "secret"));
    EXPECT_THAT(masks, testing::Contains(testing::Ne(masks.front()))) << "five keys and one mask";
}

TEST(MaskSet, GivesEqualValuesTheSameMaskUnderAnyName) {
    const auto set = build({"secret", "other", "secret"});
    const auto text = masked(*set, "secret secret");
    EXPECT_EQ(text.substr(0, 10), text.substr(11));
    EXPECT_NE(masked(*set, "secret"), masked(*set, "other"));
}

TEST(MaskSet, MasksAValueWithoutItsBlanksAndQuotesToo) {
    const auto set = build({"  line\n", "\"quoted\"", "'single'\n", "\" inner \""});
    EXPECT_EQ(masked(*set, "-  line\n-"), dashed(masked(*set, "  line\n")));
    EXPECT_EQ(masked(*set, "-line-"), dashed(masked(*set, "  line\n")));
    EXPECT_EQ(masked(*set, "-quoted-"), dashed(masked(*set, "\"quoted\"")));
    EXPECT_EQ(masked(*set, "-'single'-"), dashed(masked(*set, "'single'\n")));
    EXPECT_EQ(masked(*set, "-single-"), dashed(masked(*set, "'single'\n")));
    EXPECT_EQ(masked(*set, "-inner-"), dashed(masked(*set, "\" inner \"")));
    EXPECT_EQ(set->mask("line").size(), 10U);
}

TEST(MaskSet, PrefersAValuesOwnMaskOverAnothersTrimmedForm) {
    const auto set = build({"secret\n", "secret"}, {3, MaskHash::sha256});
    EXPECT_EQ(masked(*set, "secret."), "**2bb80d**.");
    EXPECT_NE(masked(*set, "secret\n"), "**2bb80d**");
}

TEST(MaskSet, NamesEachValueThatIsTooShortOnce) {
    std::vector<NamedSecret> secrets;
    secrets.push_back({"PIN", SecretString("42")});
    secrets.push_back({"TOKEN", SecretString("token")});
    secrets.push_back({"PIN", SecretString("42")});
    secrets.push_back({"EMPTY", SecretString()});
    const auto set = MaskSet::build(std::move(secrets));
    ASSERT_TRUE(set.has_value());
    EXPECT_THAT((*set)->too_short(), ElementsAre("PIN"));
    EXPECT_EQ(masked(**set, "42 is short"), "42 is short");
}

TEST(MaskSet, NamesAValueThatIsTooShortWithoutItsLineEnd) {
    const auto set = build({"42\n"});
    EXPECT_THAT(set->too_short(), ElementsAre("NAME_1"));
    EXPECT_EQ(masked(*set, "42."), "42.");
    EXPECT_EQ(set->mask("42\n").size(), 10U);
}

TEST(MaskSet, DoesNotMaskASecretOfBlanks) {
    const auto set = build({"    ", "\n\n\n", "\"\"", "'  '"});
    EXPECT_THAT(set->too_short(), ElementsAre("NAME_1", "NAME_2", "NAME_3", "NAME_4"));
    EXPECT_EQ(masked(*set, "a    b\n\n\n\"\"'  '"), "a    b\n\n\n\"\"'  '");
}

TEST(MaskSet, MasksValuesOfNulBytes) {
    const std::string nuls(3, '\0');
    EXPECT_EQ(test::masked({nuls, nuls + "secret", "other"}, "a" + nuls + "b" + nuls + "secret other"), "aMbM M");
}

TEST(MaskSet, UsesTheConfiguredMinimumLength) {
    EXPECT_THAT(build({"abcd"}, {5, MaskHash::keyed})->too_short(), ElementsAre("NAME_1"));
    EXPECT_THAT(build({"abcd"}, {4, MaskHash::keyed})->too_short(), IsEmpty());
    EXPECT_THAT(build({"a"}, {0, MaskHash::keyed})->too_short(), IsEmpty());
}

TEST(MaskSet, KnowsItsLongestForm) {
    EXPECT_GT(build({"secret", "longer secret", "ab"})->longest(), 13U);
    EXPECT_EQ(build({"", "ab"})->longest(), 0U);
    EXPECT_EQ(no_masks().longest(), 0U);
}

TEST(MaskSet, MasksForSeveralThreadsAtOnce) {
    const auto set = build({"secret", "aaa"});
    const auto expected = masked(*set, "a secret aaaa");
    std::vector<std::thread> threads;
    std::vector<int> wrong(4, 0);
    for (std::size_t i = 0; i < wrong.size(); ++i) {
        threads.emplace_back([&set, &expected, &count = wrong[i]] {
            for (int round = 0; round < 500; ++round) count += masked(*set, "a secret aaaa") == expected ? 0 : 1;
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_THAT(wrong, testing::Each(0));
}

}  // namespace
}  // namespace trebuchet
