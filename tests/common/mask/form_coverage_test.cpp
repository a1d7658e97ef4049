#include "common/mask/form_coverage.hpp"

#include "common/mask/value_parts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

TEST(FormCoverage, ListsTheMaskedForms) {
    const auto coverage = coverage_of("Zk3vQ9rT7mXw2LpB", 3);
    EXPECT_THAT(coverage.masked, AllOf(Contains("as it is"), Contains("base64"), Contains("hex")));
    EXPECT_THAT(coverage.masked, Not(Contains("Python repr"))) << "it looks the same";
    EXPECT_THAT(coverage.not_masked, IsEmpty());
    EXPECT_EQ(coverage.weakness, FormCoverage::Weakness::none);
    EXPECT_THAT(coverage_of("it's one that needs quotes", 3).masked, Contains("shell quoting"));
    EXPECT_THAT(coverage_of("one line\nanother line\n", 3).masked, Contains("its lines"));
}

TEST(FormCoverage, ListsFormsForWhichTheValueIsTooShort) {
    EXPECT_THAT(
        coverage_of("x9$", 3).not_masked,
        ElementsAre("hex", "base64 within other base64", "cut by line ends, carriage returns or terminal sequences"));
    EXPECT_THAT(coverage_of("x9$Q", 3).not_masked, IsEmpty());
    EXPECT_THAT(coverage_of("x9", 3).not_masked, ElementsAre("as it is"));
    EXPECT_THAT(coverage_of("x9", 3).masked, IsEmpty());
}

TEST(FormCoverage, NamesWeakValues) {
    EXPECT_EQ(coverage_of("x9$Q", 3).weakness, FormCoverage::Weakness::brief);
    for (const auto* common : {"Password1", "ubuntu", "aaaaaaaaaaaaaaaaaaaa", "\"changeme\"\n"}) {
        EXPECT_EQ(coverage_of(common, 3).weakness, FormCoverage::Weakness::common) << common;
    }
    EXPECT_EQ(coverage_of("passwords", 3).weakness, FormCoverage::Weakness::none);
}

TEST(FormCoverage, IsEmptyForAnEmptyValue) {
    const auto coverage = coverage_of("", 3);
    EXPECT_THAT(coverage.masked, IsEmpty());
    EXPECT_THAT(coverage.not_masked, IsEmpty());
}

TEST(ValueParts, AreSecretsOnlyWithMoreThanPunctuation) {
    for (const auto* part : {"{", "-----", "}},", "-----BEGIN PRIVATE KEY-----", "    ", "admin", "aaaaaaaa", "abcd"}) {
        EXPECT_FALSE(is_worth_masking(part)) << part;
    }
    for (const auto* part : {"first-line", "s3cr3", "ключ"}) EXPECT_TRUE(is_worth_masking(part)) << part;
}

}  // namespace
}  // namespace trebuchet
