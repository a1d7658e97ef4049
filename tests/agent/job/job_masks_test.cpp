#include "agent/job/job_masks.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(JobMasksTest, GrowByWhatIsAdded) {
    JobMasks masks(MaskSet::none());
    ASSERT_TRUE(masks.add("swordfish"));
    ASSERT_TRUE(masks.add("trebuchet"));
    ASSERT_TRUE(masks.add(""));
    const std::string text(masks.current()->mask("a swordfish, a trebuchet").bytes());
    EXPECT_THAT(text, AllOf(Not(HasSubstr("swordfish")), Not(HasSubstr("trebuchet"))));
}

TEST(JobMasksTest, AreNotMadeAnewForWhatChangesNothing) {
    JobMasks masks(MaskSet::none());
    ASSERT_TRUE(masks.add("swordfish"));
    const auto before = masks.current();
    EXPECT_TRUE(masks.add("swordfish"));
    EXPECT_FALSE(masks.add("ab"));
    EXPECT_EQ(masks.current(), before);
}

TEST(JobMasksTest, TakeNoMoreAndNoLongerValuesThanTheirLimits) {
    AddedMaskLimits limits;
    limits.values = 2;
    limits.value_length = 20;
    JobMasks masks(MaskSet::none(), limits);
    const auto too_long = masks.add("a value of twenty-one");
    ASSERT_FALSE(too_long);
    EXPECT_THAT(too_long.error().message(), AllOf(HasSubstr("20 bytes"), Not(HasSubstr("twenty"))));
    EXPECT_TRUE(masks.add("first value"));
    EXPECT_TRUE(masks.add("second value"));
    EXPECT_THAT(masks.add("third value").error().message(), HasSubstr("no more than 2 values"));
    EXPECT_EQ(masks.current()->mask("third value").bytes(), "third value");
}

TEST(JobMasksTest, TakeNoMoreBytesOfValuesThanTheirLimit) {
    AddedMaskLimits limits;
    limits.bytes = 20;
    JobMasks masks(MaskSet::none(), limits);
    EXPECT_TRUE(masks.add("twelve bytes"));
    EXPECT_THAT(masks.add("nine more").error().message(), HasSubstr("no more than 20 bytes"));
    EXPECT_TRUE(masks.add("8 bytes."));
}

TEST(JobMasksTest, CompileWhatCameTogetherOnce) {
    JobMasks masks(MaskSet::none());
    const auto before = masks.current();
    // Each compiled alone, they would take minutes.
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(masks.add("value-" + std::to_string(i) + "-abcdef"));
    EXPECT_TRUE(masks.add("value-7-abcdef"));
    const auto after = masks.current();
    EXPECT_NE(after, before);
    EXPECT_EQ(masks.current(), after);
    EXPECT_THAT(std::string(after->mask("a value-999-abcdef").bytes()), Not(HasSubstr("value")));
}

TEST(JobMasksTest, TakeWhatTheAgentGivesWithoutLimits) {
    AddedMaskLimits limits;
    limits.values = 1;
    limits.value_length = 3;
    JobMasks masks(MaskSet::none(), limits);
    EXPECT_TRUE(masks.add_given("A", "swordfish"));
    EXPECT_TRUE(masks.add_given("B", "trebuchet"));
    EXPECT_TRUE(masks.add_given("C", ""));
    EXPECT_FALSE(masks.add_given("D", "ab")) << "too short";
    const std::string text(masks.current()->mask("a swordfish, a trebuchet").bytes());
    EXPECT_THAT(text, AllOf(Not(HasSubstr("swordfish")), Not(HasSubstr("trebuchet"))));
}

TEST(JobMasksTest, TakeNoValueThatCannotBeToldFromOrdinaryText) {
    JobMasks masks(MaskSet::none());
    EXPECT_THAT(masks.add("ab").error().message(), HasSubstr("too short"));
    EXPECT_EQ(masks.current()->mask("abc").bytes(), "abc");
}

}  // namespace
}  // namespace trebuchet
