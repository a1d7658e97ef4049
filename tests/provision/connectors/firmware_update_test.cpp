#include "tests/provision/connectors/stage_fixture.hpp"

#include <csignal>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

class FirmwareUpdate : public StageTest {
  protected:
    FirmwareUpdate() {
        job_ = R"({"firmware_update_data": {"version": "latest"}})";
        when("chassis_vendor", CommandExited{0}, "Welcome!\nDell Inc.\n");
        when("get-devices", CommandExited{0}, devices);
        when("get-results", CommandExited{0}, R"({"UpdateState": 2, "Releases": [{"Version": "1.4"}]})");
    }
    /// Overrides the constructor's results.
    void instead(const std::string& text, CommandEnd end, const std::string& output = "") {
        rules_.insert(rules_.begin(), {text, std::move(end), output});
    }
    static constexpr const char* devices = R"({"Devices": [
        {"DeviceId": "a1", "Name": "BIOS", "Version": "1.2", "Flags": ["updatable"],
         "Releases": [{"Version": "1.4", "Flags": ["is-upgrade"]}]},
        {"DeviceId": "b2", "Name": "Dock", "Version": "3", "Flags": ["updatable"],
         "Releases": [{"Version": "4", "Flags": ["is-upgrade"]}]},
        {"DeviceId": "c3", "Name": "SSD", "Version": "9", "Flags": ["updatable"], "Releases": []}]})";
};

TEST_F(FirmwareUpdate, UpgradesRestartsAndChecksTheResult) {
    instead("get-results b2", CommandExited{0}, R"({"UpdateState": 2, "Releases": [{"Version": "4"}]})");
    EXPECT_EQ(run("noprovision", Stage::firmware_update), 0);
    EXPECT_EQ(count("fwupdmgr upgrade a1"), 1U);
    EXPECT_EQ(count("fwupdmgr upgrade b2"), 1U);
    EXPECT_EQ(count("fwupdmgr upgrade c3"), 0U);
    EXPECT_EQ(count("sudo reboot"), 1U);
    EXPECT_THAT(interrupt_.waits, testing::ElementsAre(10s));
}

TEST_F(FirmwareUpdate, DoesNotRestartAnUpToDateDevice) {
    instead("get-devices", CommandExited{0}, R"({"Devices": []})");
    EXPECT_EQ(run("muxpi", Stage::firmware_update), 0);
    EXPECT_EQ(count("sudo reboot"), 0U);
}

TEST_F(FirmwareUpdate, ContinuesAfterAFailedPartAndNamesIt) {
    instead("upgrade b2", CommandExited{1}, "dock is not plugged in\n");
    const auto result = run("noprovision", Stage::firmware_update);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_EQ(result.error().name, "FirmwareUpdateError");
    EXPECT_THAT(result.error().message, AllOf(HasSubstr("Dock: "), HasSubstr("dock is not plugged in")));
    EXPECT_EQ(count("get-results a1"), 1U);
}

TEST_F(FirmwareUpdate, AnOldVersionAfterTheRestartIsAFailure) {
    EXPECT_THAT(run("noprovision", Stage::firmware_update).error().message, HasSubstr("Dock: found version \"1.4\""));
}

TEST_F(FirmwareUpdate, IgnoresAFailureOnRequest) {
    job_ = R"({"firmware_update_data": {"version": "latest", "ignore_failure": true}})";
    instead("chassis_vendor", CommandExited{0}, "QEMU\n");
    EXPECT_EQ(run("noprovision", Stage::firmware_update), 0);
    job_ = R"({"firmware_update_data": {"version": "latest"}})";
    EXPECT_THAT(run("noprovision", Stage::firmware_update).error().message, HasSubstr("found the vendor \"QEMU\""));
}

TEST_F(FirmwareUpdate, ADeviceThatDoesNotComeBackIsAFailure) {
    instead("/bin/true", CommandExited{255});
    EXPECT_THAT(run("noprovision", Stage::firmware_update).error().message, HasSubstr("waited 60 s"));
    commands_.answer = [this, inner = commands_.answer](const Command& command) {
        const bool is_away = count("sudo reboot") > 0;
        if (command.argv.back() == "/bin/true" && !is_away) return std::optional<CommandResult>({CommandExited{0}, ""});
        return inner(command);
    };
    EXPECT_THAT(run("noprovision", Stage::firmware_update).error().message, HasSubstr("waited 900 s"));
}

TEST_F(FirmwareUpdate, RetriesTheRefresh) {
    std::size_t refreshed = 0;
    const auto inner = commands_.answer;
    commands_.answer = [&](const Command& command) -> std::optional<CommandResult> {
        const bool is_refresh = command.argv.back().find("refresh") != std::string::npos;
        if (is_refresh && ++refreshed < 3) return CommandResult{CommandExited{1}, "no network\n"};
        return inner(command);
    };
    instead("get-devices", CommandExited{0}, R"({"Devices": []})");
    EXPECT_EQ(run("noprovision", Stage::firmware_update), 0);
    EXPECT_EQ(refreshed, 3U);
}

TEST_F(FirmwareUpdate, EndsOnAStopSignal) {
    instead("upgrade a1", CommandInterrupted{SIGTERM});
    const auto inner = commands_.answer;
    commands_.answer = [&](const Command& command) {
        if (command.argv.back().find("upgrade a1") != std::string::npos) {
            interrupt_.signal = SIGTERM;
            interrupt_.waits.push_back(1s);
        }
        return inner(command);
    };
    EXPECT_EQ(run("noprovision", Stage::firmware_update), 128 + SIGTERM);
    EXPECT_EQ(count("upgrade b2"), 0U);
    EXPECT_EQ(count("sudo reboot"), 0U);
}

TEST_F(FirmwareUpdate, AcceptsOnlyLatestAsVersion) {
    job_ = R"({"firmware_update_data": {"version": "2024.04"}})";
    EXPECT_THAT(run("noprovision", Stage::firmware_update).error().message,
                HasSubstr("firmware_update_data.version: found \"2024.04\", expected latest"));
    job_ = "{}";
    EXPECT_THAT(run("noprovision", Stage::firmware_update).error().message, HasSubstr("expected latest"));
    EXPECT_TRUE(commands_.commands.empty());
}

}  // namespace
}  // namespace trebuchet
