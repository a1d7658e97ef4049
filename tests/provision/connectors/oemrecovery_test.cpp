#include "tests/provision/connectors/stage_fixture.hpp"

#include <cerrno>
#include <csignal>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class OemRecovery : public StageTest {
  protected:
    OemRecovery() { config_.lists["recovery_cmds"] = {"sudo recover --prepare", "sudo recover --now"}; }
};

TEST_F(OemRecovery, RunsTheCommandsOnTheDeviceAndWaitsForItsReturn) {
    job_ = R"({"test_data": {"test_username": "u", "test_password": "hunter22"}})";
    std::string password;
    when("ssh-copy-id", CommandExited{0});
    EXPECT_EQ(run("oemrecovery"), 0);
    EXPECT_EQ(count("sudo recover"), 2U);
    EXPECT_EQ(count("sshpass -e ssh-copy-id"), 1U);
    EXPECT_EQ(count("hunter22"), 0U);
    EXPECT_THAT(interrupt_.waits, testing::ElementsAre(90s));
}

TEST_F(OemRecovery, ACommandThatFailsIsAFailureOfTheProvisionOnly) {
    when("recover --prepare", CommandExited{1}, "no recovery partition\n");
    const auto result = run("oemrecovery");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_EQ(result.error().name, "ProvisioningError");
    EXPECT_THAT(result.error().message, HasSubstr("no recovery partition"));
    EXPECT_EQ(count("recover --now"), 0U);
}

TEST_F(OemRecovery, ACommandBeyondItsTimeIsAFailureOfTheProvisionOnly) {
    when("recover --prepare", CommandTimedOut{});
    EXPECT_EQ(run("oemrecovery").error().exit_code, 1);
}

TEST_F(OemRecovery, TheLastCommandMayLoseTheConnection) {
    when("recover --now", CommandExited{255});
    EXPECT_EQ(run("oemrecovery"), 0);
}

TEST_F(OemRecovery, ADeviceThatDoesNotComeBackIsAFailure) {
    when("ssh-copy-id", CommandExited{1});
    const auto result = run("oemrecovery");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_THAT(result.error().message, HasSubstr("waited 3600 s"));
}

TEST_F(OemRecovery, RestartsADeviceThatHangs) {
    config_.reboot_script = {"snmpset cycle"};
    commands_.results = {{CommandExited{255}, ""}};
    EXPECT_EQ(run("oemrecovery"), 0);
    EXPECT_EQ(count("snmpset"), 1U);
    EXPECT_EQ(count("sudo recover"), 2U);
}

TEST_F(OemRecovery, RestartsADeviceThatHangsByTurningItOffAndOn) {
    config_.poweroff_script = {"pdu off"};
    config_.poweron_script = {"pdu on"};
    commands_.results = {{CommandExited{255}, ""}};
    EXPECT_EQ(run("oemrecovery"), 0);
    EXPECT_EQ(count("pdu off"), 1U);
    EXPECT_EQ(count("pdu on"), 1U);
}

TEST_F(OemRecovery, OnlyASwitchThatDoesNotWorkTakesTheDeviceOffline) {
    when("/bin/true", CommandExited{255});
    EXPECT_EQ(run("oemrecovery").error().exit_code, 1) << "there is no reboot_script";
    config_.reboot_script = {"snmpset cycle"};
    EXPECT_EQ(run("oemrecovery").error().exit_code, 1) << "the device stays away";
    when("snmpset", CommandExited{1});
    EXPECT_EQ(run("oemrecovery").error().exit_code, 46);
    rules_.back().end = CommandTimedOut{};
    EXPECT_EQ(run("oemrecovery").error().exit_code, 46);
    rules_.back().end = CommandNotStarted{ENOENT};
    EXPECT_EQ(run("oemrecovery").error().exit_code, 1);
}

TEST_F(OemRecovery, NeedsCommands) {
    config_.lists.clear();
    EXPECT_THAT(run("oemrecovery").error().message, HasSubstr("recovery_cmds is missing"));
}

}  // namespace
}  // namespace trebuchet
