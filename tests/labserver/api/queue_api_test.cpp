#include "tests/labserver/api/server_fixture.hpp"

namespace trebuchet::labserver {
namespace {

class QueueApi : public ServerTest {
  protected:
    void SetUp() override {
        ASSERT_EQ(
            post("/v1/agents/data/a1", {{"queues", {"q"}}, {"state", "waiting"}, {"identifier", "C-1"}}, as("rig"))
                .status,
            200);
    }
};

TEST_F(QueueApi, ListsTheAgentsThatListen) {
    const auto agents = json_of(get("/v1/queues/q/agents"));
    ASSERT_EQ(agents.size(), 1U);
    EXPECT_EQ(agents[0], Json::parse(R"({"name": "a1", "queues": ["q"], "state": "waiting", "restricted_to": {}})"));
    EXPECT_EQ(get("/v1/queues/nothing/agents").status, 404);
}

TEST_F(QueueApi, ListsTheJobsOfAQueueInAnyState) {
    EXPECT_EQ(get("/v1/queues/q/jobs").status, 204);
    const auto first = submit({{"job_queue", "q"}});
    submit({{"job_queue", "other"}});
    ASSERT_EQ(take().status, 200);
    const auto second = submit({{"job_queue", "q"}});
    const auto jobs = json_of(get("/v1/queues/q/jobs"));
    ASSERT_EQ(jobs.size(), 2U);
    EXPECT_EQ(
        jobs[0],
        Json(
            {{"job_id", first}, {"created_at", "2027-01-15T08:00:00Z"}, {"job_state", "running"}, {"job_queue", "q"}}));
    EXPECT_EQ(jobs[1]["job_id"], second);
    EXPECT_EQ(jobs[1]["job_state"], "waiting");
}

TEST_F(QueueApi, RestrictsAndReleasesQueues) {
    EXPECT_EQ(get("/v1/restricted-queues/q").status, 404);
    EXPECT_EQ(post("/v1/restricted-queues/q", {{"client_id", "bob"}}, as("alice")).status, 403);
    EXPECT_EQ(post("/v1/restricted-queues/q", {{"client_id", "nobody"}}, as("boss")).status, 404);
    EXPECT_EQ(post("/v1/restricted-queues/no-agent", {{"client_id", "bob"}}, as("boss")).status, 404);
    EXPECT_EQ(post("/v1/restricted-queues/q", {{"client_id", ""}}, as("boss")).status, 400);
    EXPECT_EQ(post("/v1/restricted-queues/q", {{"client_id", "bob"}}, as("boss")).status, 200);
    EXPECT_EQ(json_of(get("/v1/restricted-queues/q")), Json::parse(R"({"queue": "q", "owners": ["bob"]})"));
    EXPECT_EQ(json_of(get("/v1/restricted-queues")).size(), 2U);
    EXPECT_EQ(json_of(get("/v1/agents/data/a1"))["restricted_to"], Json::parse(R"({"q": ["bob"]})"));
    EXPECT_EQ(send("DELETE", "/v1/restricted-queues/q", R"({"client_id": "bob"})", as("boss")).status, 200);
    EXPECT_EQ(send("DELETE", "/v1/restricted-queues/q", R"({"client_id": "bob"})", as("boss")).status, 404);
    EXPECT_EQ(get("/v1/restricted-queues/q").status, 404);
}

TEST_F(QueueApi, LetsOnlyOwnersPushToARestrictedQueue) {
    const Json job = {{"job_queue", "vip"}};
    EXPECT_EQ(post("/v1/job", job).status, 401);
    EXPECT_EQ(post("/v1/job", job, as("bob")).status, 403);
    EXPECT_EQ(post("/v1/job", job, as("root")).status, 403);
    EXPECT_EQ(post("/v1/job", job, as("alice")).status, 200);
}

}  // namespace
}  // namespace trebuchet::labserver
