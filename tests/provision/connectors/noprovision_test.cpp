#include "tests/provision/connectors/stage_fixture.hpp"

#include <cerrno>
#include <csignal>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class NoProvision : public StageTest {
  protected:
    NoProvision() { config_.reboot_script = {"snmpset off", "snmpset on"}; }
};

TEST_F(NoProvision, DoesNotRestartAReachableDevice) {
    EXPECT_EQ(run("noprovision"), 0);
    EXPECT_EQ(count("/bin/true"), 1U);
    EXPECT_EQ(count("snmpset"), 0U);
}

TEST_F(NoProvision, RestartsAnUnreachableDevice) {
    commands_.results = {{CommandExited{255}, ""}};
    EXPECT_EQ(run("noprovision"), 0);
    EXPECT_EQ(count("snmpset"), 2U);
    EXPECT_THAT(interrupt_.waits, testing::ElementsAre(70s));
}

TEST_F(NoProvision, ADeviceThatDoesNotComeBackStaysOnlineForOthers) {
    when("/bin/true", CommandExited{255}, "Permission denied (publickey,password).\n");
    const auto result = run("noprovision");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1) << "a wrong test_username looks the same";
    EXPECT_THAT(result.error().message, HasSubstr("waited 360 s"));
}

TEST_F(NoProvision, OnlyAPowerSwitchTimeoutTakesTheDeviceOffline) {
    when("/bin/true", CommandExited{255});
    when("snmpset", CommandExited{1});
    auto result = run("noprovision");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    rules_.back().end = CommandTimedOut{};
    result = run("noprovision");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 46);
}

TEST_F(NoProvision, ASwitchThatIsNotThereIsAFailure) {
    when("/bin/true", CommandExited{255});
    when("snmpset", CommandNotStarted{ENOENT});
    EXPECT_EQ(run("noprovision").error().exit_code, 1);
    config_.reboot_script.clear();
    EXPECT_EQ(run("noprovision").error().exit_code, 1);
}

TEST_F(NoProvision, EndsOnAStopSignal) {
    when("/bin/true", CommandExited{255});
    interrupt_.signal = SIGTERM;
    interrupt_.waits_before_signal = 2;
    EXPECT_EQ(run("noprovision"), 128 + SIGTERM);
}

TEST_F(NoProvision, NeedsAnAddress) {
    config_.device_ip = "";
    EXPECT_THAT(run("noprovision").error().message, HasSubstr("device_ip is missing"));
}

}  // namespace
}  // namespace trebuchet
