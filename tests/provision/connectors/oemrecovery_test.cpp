#include "tests/provision/connectors/stage_fixture.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class OemRecovery : public StageTest {
  protected:
    OemRecovery() {
        config_.lists["recovery_cmds"] = {"sudo recover --prepare", "sudo recover --now"};
        when("snap model", CommandExited{0}, "brand x\nmodel  generic-classic\n");
    }
    /// The device cannot be logged in to until it has been power-cycled.
    void hang() {
        commands_.answer = [this, rules = commands_.answer](const Command& command) -> std::optional<CommandResult> {
            const bool is_copy =
                std::find(command.argv.begin(), command.argv.end(), "ssh-copy-id") != command.argv.end();
            if (is_copy && count("snmpset") + count("pdu on") == 0) return CommandResult{CommandExited{255}, ""};
            return rules(command);
        };
    }
};

TEST_F(OemRecovery, RunsTheCommandsOnTheDeviceAndWaitsForItsReturn) {
    job_ = R"({"test_data": {"test_username": "u", "test_password": "hunter22"}})";
    EXPECT_EQ(run("oemrecovery"), 0);
    EXPECT_EQ(count("sudo recover"), 2U);
    EXPECT_EQ(count("sshpass -e ssh-copy-id"), 2U) << "before the commands, and on the new system";
    EXPECT_EQ(count("snap model"), 1U);
    EXPECT_EQ(count("hunter22"), 0U);
    EXPECT_THAT(interrupt_.waits, testing::ElementsAre(90s));
}

TEST_F(OemRecovery, WaitsUntilSnapdHasSetTheSystemUp) {
    rules_.clear();
    int looks = 0;
    commands_.answer = [&looks](const Command& command) -> std::optional<CommandResult> {
        if (command.argv.back() == "snap model") {
            ++looks;
            return CommandResult{looks == 1 ? CommandEnd(CommandExited{255}) : CommandExited{0},
                                 looks < 3 ? "" : "model  ubuntu-core-22\n"};
        }
        if (command.argv.back() == "snap changes") {
            return CommandResult{CommandExited{0},
                                 looks < 4 ? "1  Doing  Initialize device\n" : "1  Done  Initialize device\n"};
        }
        return std::nullopt;
    };
    EXPECT_EQ(run("oemrecovery"), 0);
    EXPECT_EQ(looks, 4);
    EXPECT_THAT(interrupt_.waits, testing::ElementsAre(90s, 90s, 90s, 90s));
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
    rules_.front().end = CommandExited{255};
    const auto result = run("oemrecovery");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_THAT(result.error().message, HasSubstr("Failed to boot test image! waited 3600 s"));
}

TEST_F(OemRecovery, RestartsADeviceThatHangs) {
    config_.reboot_script = {"snmpset cycle"};
    hang();
    EXPECT_EQ(run("oemrecovery"), 0);
    EXPECT_EQ(count("snmpset"), 1U);
    EXPECT_EQ(count("sudo recover"), 2U);
}

TEST_F(OemRecovery, RestartsADeviceThatHangsByTurningItOffAndOn) {
    config_.poweroff_script = {"pdu off"};
    config_.poweron_script = {"pdu on"};
    hang();
    EXPECT_EQ(run("oemrecovery"), 0);
    EXPECT_EQ(count("pdu off"), 1U);
    EXPECT_EQ(count("pdu on"), 1U);
}

TEST_F(OemRecovery, OnlyASwitchThatDoesNotWorkTakesTheDeviceOffline) {
    when("ssh-copy-id", CommandExited{255});
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
