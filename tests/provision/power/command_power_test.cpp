#include "provision/power/command_power.hpp"

#include "tests/provision/support/fakes.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = PowerError::Kind;

class CommandPowerTest : public testing::Test {
  protected:
    [[nodiscard]] PowerError cycle_error(CommandEnd end) {
        commands_.results.push_back({std::move(end), ""});
        CommandPower power({{"pdu cycle"}, {}, {}}, commands_);
        const auto done = power.cycle();
        return done ? PowerError{} : done.error();
    }

    FakeCommandRunner commands_;
};

TEST_F(CommandPowerTest, RunsTheRebootScriptWithoutAShellAndTheOthersByOne) {
    CommandPower power({{"pdu 'port 4' cycle", "sleep 1"}, {"pdu off"}, {"pdu on"}}, commands_);
    EXPECT_TRUE(power.cycle());
    EXPECT_TRUE(power.off());
    EXPECT_TRUE(power.on());
    EXPECT_THAT(commands_.commands,
                ElementsAre(ElementsAre("pdu", "port 4", "cycle"), ElementsAre("sleep", "1"),
                            ElementsAre("/bin/sh", "-c", "pdu off"), ElementsAre("/bin/sh", "-c", "pdu on")));
    EXPECT_EQ(power.state().value(), PowerState::unknown);
}

TEST_F(CommandPowerTest, CyclesByOffAndOnWithoutARebootScript) {
    CommandPower power({{}, {"pdu off"}, {"pdu on"}}, commands_);
    EXPECT_TRUE(power.cycle());
    EXPECT_THAT(commands_.commands,
                ElementsAre(ElementsAre("/bin/sh", "-c", "pdu off"), ElementsAre("/bin/sh", "-c", "pdu on")));
}

TEST_F(CommandPowerTest, StopsAtTheFirstCommandThatFails) {
    commands_.results.push_back({CommandExited{3}, ""});
    CommandPower power({{"first", "second"}, {}, {}}, commands_);
    const auto done = power.cycle();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr(R"(reboot_script: "first": exit code 3)"));
    EXPECT_EQ(commands_.commands.size(), 1U);
}

TEST_F(CommandPowerTest, ReportsTheKindOfFailure) {
    EXPECT_EQ(cycle_error(CommandExited{1}).kind, Kind::failed);
    EXPECT_EQ(cycle_error(CommandKilled{SIGSEGV}).kind, Kind::failed);
    EXPECT_EQ(cycle_error(CommandTimedOut{}).kind, Kind::timed_out);
    EXPECT_EQ(cycle_error(CommandInterrupted{SIGTERM}).kind, Kind::interrupted);
    EXPECT_EQ(cycle_error(CommandNotStarted{ENOENT}).kind, Kind::not_installed);
    commands_.results.push_back({CommandExited{127}, ""});
    EXPECT_EQ(CommandPower({{}, {"no-such-program"}, {}}, commands_).off().error().kind, Kind::not_installed);
}

TEST_F(CommandPowerTest, NamesTheMissingKey) {
    CommandPower power({{}, {"pdu off"}, {}}, commands_);
    CommandPower malformed({{"pdu 'off"}, {}, {}}, commands_);
    for (const auto& [done, text] : {std::pair{power.on(), "no poweron_script"},
                                     {power.cycle(), "no reboot_script"},
                                     {malformed.cycle(), "quote"}}) {
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().kind, Kind::refused);
        EXPECT_THAT(done.error().message, HasSubstr(text));
    }
    EXPECT_THAT(commands_.commands, IsEmpty());
}

}  // namespace
}  // namespace trebuchet
