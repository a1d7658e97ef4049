#include "agent/job/mask_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(MaskReport, IsEmptyUntilSomethingIsMasked) {
    MaskReport report;
    EXPECT_TRUE(report.empty());
    static_cast<void>(report.at("test"));
    EXPECT_TRUE(report.empty());
    EXPECT_EQ(report.text(), "");
    report.at("test")->add("TOKEN", Form::exact);
    EXPECT_FALSE(report.empty());
}

TEST(MaskReport, HasALineForEachPlaceNameAndForm) {
    MaskReport report;
    report.at("test")->add("TOKEN", Form::base64, 2);
    report.at("artifacts")->add("TOKEN", Form::exact);
    report.at("test")->add("TOKEN", Form::base64);
    report.at("test")->add("KEY", Form::hex);
    report.at("test")->add(CredentialKind::github);
    EXPECT_EQ(report.text(),
              "test: KEY (hex): 1 time\n"
              "test: TOKEN (base64): 3 times\n"
              "test: well-known credential github (as it is): 1 time\n"
              "artifacts: TOKEN (as it is): 1 time\n");
}

TEST(MaskReport, KeepsAHostileNameToItsLine) {
    MaskReport report;
    report.at("test")->add("A\nB\x1b[2J", Form::exact);
    EXPECT_EQ(report.text().find('\n'), report.text().size() - 1);
    EXPECT_THAT(report.text(), Not(HasSubstr("\x1b")));
}

TEST(MaskReport, ShowsOnlyTheFirstTwoHundred) {
    MaskReport report;
    for (int name = 0; name < 250; ++name) report.at("test")->add("N" + std::to_string(name), Form::exact);
    EXPECT_THAT(report.text(), EndsWith("\nand 50 more\n"));
}

}  // namespace
}  // namespace trebuchet
