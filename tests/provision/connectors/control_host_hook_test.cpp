#include "tests/provision/connectors/stage_fixture.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// A control host with a service, unless a test takes it away.
class ControlHostHook : public StageTest {
  protected:
    ControlHostHook() {
        ::unsetenv("DISABLE_CONTROL_HOST_POWERCYCLE");
        config_.control_host = "control";
        config_.control_host_reboot_script = {"powerctl off && touch x", "powerctl on"};
        rest("system/poweroff", "200");
        rest("/health", "200");
        rest("setup/provisioning", "200");
    }
    void rest(const std::string& path, const std::string& status) {
        for (auto& rule : rules_) {
            if (rule.text == path) {
                rule.output = "{}\n" + status;
                return;
            }
        }
        when(path, CommandExited{0}, "{}\n" + status);
    }
    void no_service() {
        for (auto& rule : rules_) rule.end = CommandExited{7};
    }
};

TEST_F(ControlHostHook, PowersTheHostOffWaitsUntilItIsDownAndRunsTheScriptByAShell) {
    when("ping", CommandExited{1});
    EXPECT_EQ(run("fake_connector"), 0);
    EXPECT_EQ(count("system/poweroff"), 1U);
    EXPECT_EQ(count("/bin/sh -c powerctl off && touch x"), 1U);
    EXPECT_EQ(count("/bin/sh -c powerctl on"), 1U);
    EXPECT_EQ(count("/health"), 1U);
    EXPECT_EQ(count("setup/provisioning"), 1U);
    EXPECT_THAT(interrupt_.waits, ElementsAre(10s));
}

TEST_F(ControlHostHook, AHostThatStaysUpIsNotWaitedForLongerThan30Seconds) {
    EXPECT_EQ(run("fake_connector"), 0);
    EXPECT_EQ(count("ping"), 15U);
    EXPECT_EQ(interrupt_.waits.size(), 15U);
    EXPECT_EQ(count("powerctl on"), 1U);
}

TEST_F(ControlHostHook, WithoutPingItWaits10Seconds) {
    when("ping", CommandNotStarted{ENOENT});
    EXPECT_EQ(run("fake_connector"), 0);
    EXPECT_THAT(interrupt_.waits, ElementsAre(10s));
}

TEST_F(ControlHostHook, AFailingItemIsLoggedAndTheNextOneRuns) {
    when("ping", CommandExited{1});
    when("powerctl off", CommandExited{7});
    EXPECT_EQ(run("fake_connector"), 0);
    EXPECT_EQ(count("powerctl on"), 1U);
    rules_.back().end = CommandTimedOut{};
    EXPECT_EQ(run("fake_connector"), 0);
}

TEST_F(ControlHostHook, AServiceThatStaysAwayAfterThePowerCycleIsAFailure) {
    when("ping", CommandExited{1});
    rest("/health", "503");
    const auto result = run("fake_connector");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().name, "TimeoutError");
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_THAT(result.error().message, HasSubstr("300 s"));
    EXPECT_EQ(count("setup/provisioning"), 0U);
}

TEST_F(ControlHostHook, AShorterTimeOfAMuxsHostDoesNotShortenItsOwn) {
    when("ping", CommandExited{1});
    rest("/health", "503");
    config_.scalars["control_host_reboot_timeout"] = "20";
    EXPECT_THAT(run("fake_connector").error().message, HasSubstr("300 s"));
    config_.scalars["control_host_reboot_timeout"] = "400";
    EXPECT_THAT(run("fake_connector").error().message, HasSubstr("400 s"));
}

TEST_F(ControlHostHook, WithoutAServiceAHostWhoseSshAnswersIsLeftAlone) {
    no_service();
    EXPECT_EQ(run("fake_connector"), 0);
    EXPECT_EQ(count("nc -z -w 3 control 22"), 1U);
    EXPECT_EQ(count("powerctl"), 0U);
}

TEST_F(ControlHostHook, WithoutAServiceADeadHostIsPowerCycledAndMayStayAway) {
    no_service();
    when("nc -z", CommandExited{1});
    EXPECT_EQ(run("fake_connector"), 0);
    EXPECT_EQ(count("powerctl on"), 1U);
    EXPECT_GE(count("nc -z"), 140U);
}

TEST_F(ControlHostHook, CanBeDisabled) {
    ::setenv("DISABLE_CONTROL_HOST_POWERCYCLE", "0", 1);
    EXPECT_EQ(run("fake_connector"), 0);
    ::unsetenv("DISABLE_CONTROL_HOST_POWERCYCLE");
    EXPECT_EQ(count("poweroff"), 0U);
    EXPECT_EQ(count("setup/provisioning"), 1U);
    config_.control_host_reboot_script.clear();
    EXPECT_EQ(run("fake_connector"), 0);
    EXPECT_EQ(count("poweroff"), 0U);
    config_.control_host = "";
    EXPECT_EQ(run("fake_connector"), 0);
    EXPECT_EQ(count("setup/provisioning"), 2U);
}

TEST_F(ControlHostHook, EndsWhenToldToStop) {
    interrupt_.signal = SIGTERM;
    interrupt_.waits_before_signal = 3;
    EXPECT_EQ(run("fake_connector"), 128 + SIGTERM);
    EXPECT_EQ(count("powerctl"), 0U);
}

}  // namespace
}  // namespace trebuchet
