#include "tests/integration/harness/lab_test.hpp"

#include <csignal>

#include <unistd.h>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;

/// `trebuchet-agent pause` and `resume` beside a running agent.
class Pause : public LabTest {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: needs root, from whom alone the agent takes the order";
        // With so long an interval only a watched folder explains that the agent reacts.
        agent.configure({{"polling_interval", 600}, {"test_command", "echo tested"}});
        agent.start();
        ASSERT_TRUE(agent.is_ready()) << agent.log();
    }
    Ending call(const std::string& command, const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{command, "--state", agent.state()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run({TREBUCHET_AGENT, arguments});
    }
};

TEST_F(Pause, TakesAnIdleAgentAwayAtOnceAndBack) {
    const auto paused = call("pause", {"--note", "new cable"});
    EXPECT_EQ(paused.code, 0) << paused.err;
    ASSERT_TRUE(server.agent_is(agent_id, "maintenance")) << agent.log();
    EXPECT_EQ(server.agent(agent_id)["comment"], "Paused on the host: new cable");
    const auto id = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    EXPECT_EQ(call("resume").code, 0);
    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();
    EXPECT_EQ(server.agent(agent_id)["comment"], "");
}

TEST_F(Pause, SurvivesARestartOfTheAgent) {
    EXPECT_EQ(call("pause", {"--note", "new cable", "--for", "2h"}).code, 0);
    ASSERT_TRUE(server.agent_is(agent_id, "maintenance")) << agent.log();
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);
    agent.start();
    EXPECT_TRUE(agent.logs_text("registered as board-1 at " + server.url() + ", maintenance")) << agent.log();
    EXPECT_THAT(server.agent(agent_id)["comment"].get<std::string>(), HasSubstr("new cable"));
}

TEST_F(Pause, EndsTheQuarantineOfADeviceThatFails) {
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);
    agent.configure(
        {{"polling_interval", 1}, {"trebuchet", {{"quarantine", 2}}}, {"provision_command", "test -e good"}});
    agent.start();
    const Json fields{{"provision_data", {{"distro", "noble"}}}};
    for (int i = 0; i < 2; ++i) run_job(fields);
    ASSERT_TRUE(server.agent_is(agent_id, "maintenance")) << agent.log();
    EXPECT_THAT(server.agent(agent_id)["comment"].get<std::string>(), HasSubstr("2 provisions in a row failed"));
    const auto id = server.post_job(job(fields));
    EXPECT_EQ(call("resume").code, 0);
    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
}

}  // namespace
}  // namespace trebuchet::harness
