#include "tests/integration/harness/lab_test.hpp"

#include <algorithm>
#include <string>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;

/// A server with a data file.
class KeptServer : public LabTest {
  protected:
    KeptServer() {
        agent.configure({{"server_address", kept.url()}});
        agent.write_token(kept.tokens(clients::agent)["refresh_token"]);
    }

    static Json small_job() { return job({{"test_data", {{"test_cmds", "x"}}}}); }

    LabServer kept{folder / "kept", authority, 0, {"--data", folder / "lab.db"}};
};

TEST_F(KeptServer, GoesOnWithJobTokenAndLogAfterItWasKilled) {
    auto held = gate();
    agent.on("test", "echo before; " + held.wait_command() + "; echo after");
    const auto running = kept.post_job(small_job());
    agent.start();
    ASSERT_TRUE(kept.shows(running, "test", "before")) << agent.log();
    const auto posted = kept.post_job(small_job());
    kept.kill_and_start_again();
    held.open();
    held.open();

    ASSERT_TRUE(kept.reaches(running, "complete")) << agent.log();
    EXPECT_THAT(kept.log(running, "test"), HasSubstr("before\nafter\n"));
    EXPECT_EQ(kept.result(running)["test_status"], 0);
    ASSERT_TRUE(kept.reaches(posted, "complete")) << agent.log();
    EXPECT_THAT(kept.log(posted, "test"), HasSubstr("before\nafter\n"));
}

TEST_F(KeptServer, GoesOnAfterItRestartsInTheMiddleOfALog) {
    agent.on("test", "seq 1 100");
    kept.add_fault({{"what", "restart"}, {"value", 300}, {"method", "POST"}, {"target", "/v1/result/*/log/output"}});
    kept.add_fault({{"what", "restart"}, {"value", 300}, {"method", "GET"}, {"target", "/v1/job"}});
    const auto id = kept.post_job(small_job());
    agent.start();
    ASSERT_TRUE(kept.faults_have_hit()) << agent.log();

    ASSERT_TRUE(kept.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(kept.log(id, "test"), HasSubstr("\n1\n2\n3\n"));
    EXPECT_THAT(kept.log(id, "test"), HasSubstr("\n99\n100\n"));
}

TEST_F(KeptServer, KeepsOrdersToTheAgent) {
    agent.start();
    ASSERT_TRUE(agent.logs_text("registered as")) << agent.log();
    static_cast<void>(kept.control("POST", std::string("/agents/") + agent_id, {{"state", "offline"}}));
    ASSERT_TRUE(agent.logs_text("set this agent to offline")) << agent.log();
    kept.kill_and_start_again();
    const auto id = kept.post_job(small_job());
    // The record of requests starts empty with each start of the server.
    const auto asked_for = [&](const std::string& target) {
        const auto requests = kept.requests();
        return std::count_if(requests.begin(), requests.end(), [&](const Json& request) {
            return request["client"] == clients::agent && request["target"] == target;
        });
    };
    ASSERT_TRUE(eventually([&] { return asked_for(std::string("/v1/agents/data/") + agent_id) >= 2; })) << agent.log();

    EXPECT_EQ(asked_for(std::string("/v1/job?queue=") + queue), 0);
    EXPECT_EQ(kept.job_state(id), "waiting");
}

}  // namespace
}  // namespace trebuchet::harness
