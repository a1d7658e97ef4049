#include "tests/provision/connectors/stage_fixture.hpp"

#include <csignal>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class CommandConnector : public StageTest {
  protected:
    CommandConnector() { config_.lists["provision_cmds"] = {"flash", "boot"}; }
};

TEST_F(CommandConnector, RunsTheStagesCommandsInAShell) {
    EXPECT_EQ(run("command"), 0);
    EXPECT_THAT(commands_.commands,
                ElementsAre(ElementsAre("/bin/sh", "-c", "flash"), ElementsAre("/bin/sh", "-c", "boot")));
    config_.scalars["cleanup_cmds"] = "power off";
    EXPECT_EQ(run("command", Stage::cleanup), 0);
    EXPECT_EQ(count("power off"), 1U);
    EXPECT_EQ(run("command", Stage::firmware_update), 0);
}

TEST_F(CommandConnector, PassesTheJobsSecretsInTheEnvironment) {
    job_ = R"({"test_data": {"secrets": {"WIFI": "hunter22"}}})";
    std::string seen;
    commands_.answer = [&](const Command& command) -> std::optional<CommandResult> {
        seen = command.environment->variables().at("WIFI").reveal();
        return std::nullopt;
    };
    EXPECT_EQ(run("command"), 0);
    EXPECT_EQ(seen, "hunter22");
    EXPECT_EQ(count("hunter22"), 0U);
}

TEST_F(CommandConnector, RetriesAFlakyCommand) {
    config_.scalars["provision_retries"] = "2";
    commands_.results = {{CommandExited{1}, ""}, {CommandTimedOut{}, ""}};
    EXPECT_EQ(run("command"), 0);
    EXPECT_EQ(count("flash"), 3U);
    EXPECT_EQ(interrupt_.waits.size(), 2U);
}

TEST_F(CommandConnector, StopsAtACommandThatFailed) {
    when("flash", CommandExited{3});
    const auto result = run("command");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_EQ(result.error().message, "provision_cmds: flash: exit code 3");
    EXPECT_EQ(count("boot"), 0U);
}

TEST_F(CommandConnector, PassesExitCode46On) {
    when("flash", CommandExited{46});
    EXPECT_EQ(run("command").error().exit_code, 46);
}

TEST_F(CommandConnector, RunsRecoveryCommandsAfterAFailure) {
    config_.lists["recovery_commands"] = {"mux off"};
    when("flash", CommandExited{3});
    EXPECT_EQ(run("command").error().exit_code, 1);
    EXPECT_EQ(count("mux off"), 1U);
    when("mux off", CommandExited{1});
    EXPECT_EQ(run("command").error().exit_code, 46);
}

TEST_F(CommandConnector, RunsRecoveryCommandsOnAStopSignal) {
    config_.lists["recovery_commands"] = {"mux off"};
    when("flash", CommandInterrupted{SIGTERM});
    bool ignore_stop_signal = false;
    const auto inner = commands_.answer;
    commands_.answer = [&](const Command& command) {
        if (command.argv.back() == "mux off") ignore_stop_signal = command.ignore_stop_signal;
        return inner(command);
    };
    EXPECT_EQ(run("command"), 128 + SIGTERM);
    EXPECT_TRUE(ignore_stop_signal);
}

TEST_F(CommandConnector, SaysWhatIsWrongWithItsNumbers) {
    config_.scalars["provision_retries"] = "many";
    EXPECT_THAT(run("command").error().message, HasSubstr("provision_retries: found \"many\", expected a number"));
    config_.scalars["provision_retries"] = "1";
    config_.scalars["provision_timeout"] = "soon";
    EXPECT_EQ(run("command").error().name, "ConfigError");
}

}  // namespace
}  // namespace trebuchet
