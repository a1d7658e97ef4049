#include "provision/firmware/fwupd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using ::testing::HasSubstr;

TEST(FwupdDevices, AreThoseThatCanBeUpdatedWithTheNewestRelease) {
    const auto parts = parse_fwupd_devices(R"({"Devices": [
        {"DeviceId": "a1", "Name": "System Firmware", "Version": "1.2", "Flags": ["internal", "updatable"],
         "Releases": [{"Version": "1.4", "Flags": ["is-upgrade"]}, {"Version": "1.3", "Flags": ["is-upgrade"]}]},
        {"DeviceId": "b2", "Version": "7", "Flags": ["updatable"],
         "Releases": [{"Version": "6", "Flags": ["is-downgrade"]}]},
        {"DeviceId": "c3", "Name": "CPU", "Version": "1", "Flags": ["internal"],
         "Releases": [{"Version": "2", "Flags": ["is-upgrade"]}]}]})");
    ASSERT_TRUE(parts) << parts.error().message();
    ASSERT_EQ(parts->size(), 2U);
    EXPECT_EQ(parts->at(0).name, "System Firmware");
    EXPECT_EQ(parts->at(0).version, "1.2");
    EXPECT_EQ(parts->at(0).newest, "1.4");
    EXPECT_EQ(parts->at(1).name, "b2");
    EXPECT_EQ(parts->at(1).newest, "");
}

TEST(FwupdDevices, WithoutReleasesHaveNothingNewer) {
    const auto parts = parse_fwupd_devices(
        R"({"Devices": [{"DeviceId": "a1", "Flags": ["updatable"], "Releases": []},
                        {"DeviceId": "a2", "Version": "1", "Flags": ["updatable"],
                         "Releases": [{"Version": "1", "Flags": ["is-upgrade"]}]}]})");
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->at(0).newest + parts->at(1).newest, "");
}

TEST(FwupdDevices, WithInvalidIdsAreOmitted) {
    const auto parts = parse_fwupd_devices(R"({"Devices": [{"DeviceId": "a; reboot", "Flags": ["updatable"]}]})");
    ASSERT_TRUE(parts);
    EXPECT_TRUE(parts->empty());
}

TEST(FwupdDevices, RefusesOtherText) {
    for (const auto* text : {"", "[]", "{}", R"({"Devices": 3})", "Segmentation fault"}) {
        EXPECT_THAT(parse_fwupd_devices(text).error().message(), HasSubstr("fwupdmgr said")) << text;
    }
}

TEST(FwupdResults, SucceedWithTheExpectedVersion) {
    EXPECT_TRUE(check_fwupd_results(R"({"UpdateState": 2, "Releases": [{"Version": "1.4"}]})", "1.4"));
    EXPECT_TRUE(check_fwupd_results(R"({"UpdateState": "success", "Releases": [{"Version": "1.4"}]})", "1.4"));
}

TEST(FwupdResults, ReportTheReason) {
    const auto why = [](const char* text) { return check_fwupd_results(text, "1.4").error().message(); };
    EXPECT_THAT(why(R"({"UpdateState": 3, "UpdateError": "no AC power", "Releases": [{"Version": "1.4"}]})"),
                HasSubstr("no AC power"));
    EXPECT_THAT(why(R"({"UpdateState": 2, "Releases": [{"Version": "1.2"}]})"), HasSubstr("found version \"1.2\""));
    EXPECT_THAT(why(R"({"UpdateState": 4, "Releases": [{"Version": "1.4"}]})"), HasSubstr("update state is \"4\""));
    EXPECT_THAT(why(R"({"Releases": [{"Version": "1.4"}]})"), HasSubstr("missing"));
    EXPECT_THAT(why("oops"), HasSubstr("expected JSON"));
}

}  // namespace
}  // namespace trebuchet
