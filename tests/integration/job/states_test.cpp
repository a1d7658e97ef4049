#include "tests/integration/harness/lab_test.hpp"

#include <csignal>

namespace trebuchet::harness {
namespace {

/// Agent states that an administrator sets and the agent obeys.
class States : public LabTest {
  protected:
    States() { agent.on("test", "echo tested"); }

    static Json small_job() { return {{"test_data", {{"test_cmds", "x"}}}}; }
    void set(const Json& fields) {
        static_cast<void>(server.control("POST", std::string("/agents/") + agent_id, fields));
    }
    [[nodiscard]] std::size_t polls() {
        std::size_t found = 0;
        for (const auto& request : server.requests()) {
            found += request["target"] == std::string("/v1/job?queue=") + queue ? 1U : 0U;
        }
        return found;
    }
    void start() {
        agent.start();
        ASSERT_TRUE(agent.is_ready()) << agent.log();
        ASSERT_TRUE(eventually([&] { return polls() > 0; }));
    }
};

TEST_F(States, AnAgentTakenOfflineByModeComesBackByMode) {
    ASSERT_NO_FATAL_FAILURE(start());
    set({{"mode", "maintenance"}, {"comment", "new cable"}});
    ASSERT_TRUE(server.agent_is(agent_id, "maintenance")) << agent.log();
    EXPECT_EQ(server.agent(agent_id)["comment"], "new cable");
    const auto id = server.post_job(job(small_job()));
    set({{"mode", "online"}});
    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_TRUE(server.agent_is(agent_id, "waiting"));
}

TEST_F(States, AnAgentRestartedByModeComesBackAlthoughTheModeStays) {
    ASSERT_NO_FATAL_FAILURE(start());
    set({{"mode", "restart"}});
    EXPECT_EQ(agent.program().wait().code, 1);
    agent.start();
    const auto id = server.post_job(job(small_job()));
    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
}

TEST_F(States, AnAgentThatIsOfflineStaysSoWithItsCommentWhenItStarts) {
    ASSERT_NO_FATAL_FAILURE(start());
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);
    set({{"state", "offline"}, {"comment", "being repaired"}});
    const auto before = polls();
    agent.start();
    ASSERT_TRUE(agent.logs_text("registered as board-1 at " + server.url() + ", offline")) << agent.log();
    EXPECT_EQ(server.agent(agent_id)["state"], "offline");
    EXPECT_EQ(server.agent(agent_id)["comment"], "being repaired");
    EXPECT_EQ(polls(), before);
}

TEST_F(States, TheReferencesRestartLeavesNobodyOffline) {
    ASSERT_NO_FATAL_FAILURE(start());
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);
    set({{"state", "offline"}, {"comment", "Restart signal detected from supervisor process"}});
    agent.start();
    EXPECT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();
    EXPECT_EQ(server.agent(agent_id)["comment"], "");
}

TEST_F(States, AJobThatExcludesTheAgentIsNotTaken) {
    ASSERT_NO_FATAL_FAILURE(start());
    // Without a second agent on the queue, the server would refuse the job.
    const Json another{{"state", "waiting"}, {"queues", {queue}}};
    ASSERT_EQ(server.ask(clients::agent, "POST", "/v1/agents/data/board-2", another).status, 200);
    auto fields = small_job();
    fields["exclude_agents"] = {agent_id};
    const auto excluded = server.post_job(job(fields));
    const auto other = server.post_job(job(small_job()));
    EXPECT_TRUE(server.reaches(other, "complete")) << agent.log();
    EXPECT_EQ(server.job_state(excluded), "waiting");
}

TEST_F(States, AnAgentAdvertisesItsQueuesAndImages) {
    agent.configure({{"advertised_queues", {{"bench", "boards"}}},
                     {"advertised_images", {{"bench", {{"noble", "url: http://images/noble"}}}}}});
    ASSERT_NO_FATAL_FAILURE(start());
    EXPECT_EQ(server.ask("", "GET", "/v1/agents/queues").json()["bench"], "boards");
    EXPECT_EQ(server.ask("", "GET", "/v1/agents/images/bench").json()["noble"], "url: http://images/noble");
}

TEST_F(States, AnAgentThatWasForgottenRegistersAgain) {
    ASSERT_NO_FATAL_FAILURE(start());
    server.advance_clock(std::chrono::hours(8 * 24));
    agent.write_token(server.tokens(clients::agent)["refresh_token"]);
    EXPECT_TRUE(eventually([&] { return server.agent(agent_id).value("queues", Json()).is_array(); })) << agent.log();
    const auto id = server.post_job(job(small_job()));
    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
}

}  // namespace
}  // namespace trebuchet::harness
