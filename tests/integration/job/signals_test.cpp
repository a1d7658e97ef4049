#include "tests/integration/harness/lab_test.hpp"

#include <csignal>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// An agent whose test phase waits for the gate.
class Signals : public LabTest {
  protected:
    Signals() {
        agent.on("test", "echo started; " + held_.wait_command() + "; echo finished");
        agent.on("cleanup", "echo cleaning up");
    }

    void start() {
        id_ = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
        agent.start();
        ASSERT_TRUE(server.shows(id_, "test", "started")) << agent.log();
    }
    void tell(int signal) {
        agent.program().signal(signal);
        const std::string name = signal == SIGTERM ? "SIGTERM" : signal == SIGHUP ? "SIGHUP" : "SIGUSR1";
        ASSERT_TRUE(agent.logs_text(name)) << agent.log();
    }

    Gate held_ = gate();
    std::string id_;
};

TEST_F(Signals, ASigtermLetsAJobFinishThatCanWithinTheGrace) {
    agent.configure({{"trebuchet", {{"stop_grace", 3600}}}});
    ASSERT_NO_FATAL_FAILURE(start());
    tell(SIGTERM);
    held_.open();

    EXPECT_EQ(agent.program().wait().code, 0);
    EXPECT_THAT(server.log(id_, "test"), HasSubstr("finished"));
    EXPECT_EQ(server.result(id_)["test_status"], 0);
    EXPECT_EQ(server.job_state(id_), "complete");
}

TEST_F(Signals, ADrainingAgentFinishesItsJobHoweverLongItTakesAndTakesNoOther) {
    agent.configure({{"trebuchet", {{"drain", "finish"}, {"stop_grace", 0}}}});
    ASSERT_NO_FATAL_FAILURE(start());
    const auto next = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    tell(SIGTERM);
    held_.open();

    EXPECT_EQ(agent.program().wait().code, 0);
    EXPECT_THAT(server.log(id_, "test"), HasSubstr("finished"));
    EXPECT_EQ(server.job_state(next), "waiting");
}

TEST_F(Signals, ASecondSigtermEndsItAtOnceAndTheNextStartDeliversTheOutcome) {
    agent.configure({{"trebuchet", {{"drain", "finish"}}}});
    agent.on("test", "trap '' TERM; echo started; sleep 1000; sleep 1000");
    ASSERT_NO_FATAL_FAILURE(start());
    const auto running = living_below(agent.program().pid());
    tell(SIGTERM);
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);

    for (const auto pid : running) EXPECT_FALSE(is_alive(pid)) << pid;
    EXPECT_EQ(server.log(id_, "cleanup"), "");
    EXPECT_EQ(server.job_state(id_), "test");
    EXPECT_THAT(everything_in(agent.runs()), IsEmpty());
    agent.start();
    EXPECT_TRUE(server.reaches(id_, "complete")) << agent.log();
    EXPECT_EQ(server.result(id_)["test_status"], 247);
    EXPECT_TRUE(eventually([&] { return everything_in(agent.jobs()).empty(); }));
}

TEST_F(Signals, ASecondSigtermDoesNotWaitForAServerThatIsAway) {
    ASSERT_NO_FATAL_FAILURE(start());
    static_cast<void>(server.control("POST", "/faults", {{"what", "delay"}, {"value", 600'000}, {"count", 0}}));
    tell(SIGTERM);
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);
    EXPECT_THAT(files_holding(agent.jobs(), "\"decided\""), Not(IsEmpty())) << "the outcome must be stored";
}

TEST_F(Signals, ASigusr1EndsItWithCodeOneAfterTheJob) {
    ASSERT_NO_FATAL_FAILURE(start());
    tell(SIGUSR1);
    held_.open();

    EXPECT_EQ(agent.program().wait().code, 1);
    EXPECT_EQ(server.job_state(id_), "complete");
    EXPECT_EQ(server.agent(agent_id)["state"], "restart");
    agent.start();
    EXPECT_TRUE(server.agent_is(agent_id, "waiting")) << "the agent must take jobs again";
}

TEST_F(Signals, ASigusr1EndsAnIdleAgentWithCodeOne) {
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    agent.program().signal(SIGUSR1);
    EXPECT_EQ(agent.program().wait().code, 1);
}

TEST_F(Signals, ASighupReadsTheConfigurationAgainWhenTheJobIsDone) {
    ASSERT_NO_FATAL_FAILURE(start());
    agent.configure({{"location", "another bench"}});
    agent.on("test", "echo configured anew");
    agent.write_configuration();
    tell(SIGHUP);
    EXPECT_FALSE(server.agent(agent_id)["location"] == "another bench")
        << "the configuration must not change during the job";
    held_.open();
    ASSERT_TRUE(server.reaches(id_, "complete"));
    ASSERT_TRUE(eventually([&] { return server.agent(agent_id)["location"] == "another bench"; })) << agent.log();
    const auto next = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    EXPECT_TRUE(server.reaches(next, "complete"));
    EXPECT_THAT(server.log(next, "test"), HasSubstr("configured anew"));
    EXPECT_THAT(server.log(id_, "test"), HasSubstr("finished"));
}

TEST_F(Signals, ASighupWithAWrongConfigurationChangesNothing) {
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    agent.configure({{"polling_interval", "often"}});
    agent.write_configuration();
    tell(SIGHUP);
    EXPECT_TRUE(agent.logs_text("polling_interval: found \"often\"")) << agent.log();
    EXPECT_TRUE(agent.logs_text("continuing with the previous configuration"));
    held_.open();
    const auto id = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
}

TEST_F(Signals, ASighupMayMakeItAnotherAgent) {
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    agent.configure({{"agent_id", "board-2"}});
    agent.write_configuration();
    tell(SIGHUP);
    // The service manager sets the state directory, so it stays the same, and the lock too.
    EXPECT_TRUE(server.agent_is("board-2", "waiting")) << agent.log();
    EXPECT_TRUE(agent.program().is_running());
}

}  // namespace
}  // namespace trebuchet::harness
