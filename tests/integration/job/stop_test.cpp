#include "tests/integration/harness/lab_test.hpp"

#include <csignal>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* secret = "s3cr3t-of-the-lab";

/// An agent whose test phase has a secret and runs until it is stopped.
class Stop : public LabTest {
  protected:
    Stop() {
        server.store_secret("token", secret);
        agent.on("setup", "(setsid sleep 1000 >/dev/null 2>&1 &) ; echo set up");
        agent.on("test", "sleep 1000 & echo started with $TOKEN; wait");
        agent.on("cleanup", "echo cleaning up");
        agent.configure({{"trebuchet", {{"kill_grace", 0}, {"stop_grace", 0}}}});
    }

    void start() {
        id_ = server.post_job(job({{"test_data", {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "token"}}}}},
                                   {"reserve_data", {{"timeout", 60}}}}));
        agent.start();
        ASSERT_TRUE(server.shows(id_, "test", "started")) << agent.log();
        phases_ = living_below(agent.program().pid());
        ASSERT_GE(phases_.size(), 4U) << "expected supervisors, shells and sleeps";
    }

    [[nodiscard]] std::vector<pid_t> left() const {
        std::vector<pid_t> alive;
        for (const auto pid : phases_) {
            if (is_alive(pid)) alive.push_back(pid);
        }
        return alive;
    }

    std::string id_;
    std::vector<pid_t> phases_;
};

TEST_F(Stop, BySigtermInTheMiddleOfAJobCleansUpAndTellsTheServer) {
    ASSERT_NO_FATAL_FAILURE(start());
    agent.program().signal(SIGTERM);
    const auto ending = agent.program().wait();

    EXPECT_EQ(ending.code, 0) << ending.err;
    EXPECT_THAT(left(), IsEmpty());
    EXPECT_THAT(server.log(id_, "test"), HasSubstr("The agent is stopping"));
    EXPECT_THAT(server.log(id_, "cleanup"), HasSubstr("cleaning up"));
    const auto result = server.result(id_);
    EXPECT_EQ(result["job_state"], "complete");
    EXPECT_NE(result["test_status"], 0);
    EXPECT_EQ(result["cleanup_status"], 0);
    EXPECT_FALSE(result.contains("reserve_status"));
    EXPECT_EQ(server.agent(agent_id)["job_id"], "");
}

TEST_F(Stop, BySigtermInTheMiddleOfAJobLeavesNoSecret) {
    ASSERT_NO_FATAL_FAILURE(start());
    agent.program().signal(SIGTERM);
    static_cast<void>(agent.program().wait());

    EXPECT_THAT(agent.files_holding(secret), IsEmpty());
    EXPECT_THAT(everything_in(agent.secrets()), IsEmpty());
    EXPECT_THAT(everything_in(agent.runs()), IsEmpty());
    EXPECT_THAT(agent.log(), Not(HasSubstr(secret)));
}

TEST_F(Stop, BySigtermLetsCleanupFinish) {
    auto held = gate();
    agent.on("cleanup", "echo cleaning up; " + held.wait_command() + "; echo clean");
    ASSERT_NO_FATAL_FAILURE(start());
    agent.program().signal(SIGTERM);
    ASSERT_TRUE(server.shows(id_, "cleanup", "cleaning up")) << agent.log();
    held.open();

    EXPECT_EQ(agent.program().wait().code, 0);
    EXPECT_THAT(server.log(id_, "cleanup"), HasSubstr("clean\n"));
    EXPECT_EQ(server.result(id_)["cleanup_status"], 0);
}

TEST_F(Stop, BySigtermEndsAnIdleAgent) {
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    agent.program().signal(SIGTERM);

    EXPECT_EQ(agent.program().wait().code, 0);
}

TEST_F(Stop, BySigintEndsAnIdleAgent) {
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    agent.program().signal(SIGINT);

    EXPECT_EQ(agent.program().wait().code, 0);
}

TEST_F(Stop, BySigkillLeavesNoProcessOfTheJob) {
    ASSERT_NO_FATAL_FAILURE(start());
    agent.program().signal(SIGKILL);
    EXPECT_EQ(agent.program().wait().code, -SIGKILL);

    EXPECT_TRUE(eventually([&] { return left().empty(); }));
}

TEST_F(Stop, BySigkillPutsNoSecretOnTheDisk) {
    ASSERT_NO_FATAL_FAILURE(start());
    agent.program().signal(SIGKILL);
    static_cast<void>(agent.program().wait());

    EXPECT_THAT(files_holding(agent.folder().path(), secret), IsEmpty());
}

TEST_F(Stop, BySigkillDoesNotPreventTheNextStart) {
    ASSERT_NO_FATAL_FAILURE(start());
    agent.program().signal(SIGKILL);
    static_cast<void>(agent.program().wait());
    agent.on("test", "echo works again");
    const auto next = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    agent.start();

    EXPECT_TRUE(server.reaches(next, "complete")) << agent.log();
    EXPECT_THAT(server.log(next, "test"), HasSubstr("works again"));
}

TEST_F(Stop, ByAnAdministratorsRestartEndsWithCodeOne) {
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    const auto target = std::string("/v1/agents/data/") + agent_id;
    const Json restart{{"state", "restart"}, {"comment", "update"}};
    ASSERT_EQ(server.ask(clients::administrator, "POST", target, restart).status, 200);

    EXPECT_EQ(agent.program().wait().code, 1);
}

TEST_F(Stop, TwiceWhileAJobIsBeingTakenLosesNoJob) {
    agent.start();
    ASSERT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();
    server.add_fault({{"what", "delay"}, {"value", 1500}, {"method", "GET"}, {"target", "/v1/job"}});
    id_ = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    ASSERT_TRUE(server.faults_have_hit()) << agent.log();
    ASSERT_TRUE(eventually([&] { return server.job_state(id_) == "running"; })) << agent.log();
    agent.program().signal(SIGTERM);
    agent.program().signal(SIGINT);
    EXPECT_EQ(agent.program().wait().code, 0);

    agent.start();
    EXPECT_TRUE(server.reaches(id_, "complete")) << agent.log();
    EXPECT_THAT(server.log(id_, "setup"), HasSubstr("the agent is stopping: skipping this and later phases."));
    EXPECT_EQ(server.result(id_)["setup_status"], 247);
    EXPECT_TRUE(eventually([&] { return everything_in(agent.jobs()).empty(); }));
}

}  // namespace
}  // namespace trebuchet::harness
