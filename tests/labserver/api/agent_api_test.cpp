#include "tests/labserver/api/server_fixture.hpp"

namespace trebuchet::labserver {
namespace {

using std::chrono::hours;

class AgentApi : public ServerTest {};

TEST_F(AgentApi, RemembersWhatAnAgentPosts) {
    const Json data = {{"identifier", "C-1"},       {"job_id", "j"},        {"location", "bench 1"},
                       {"provision_type", "muxpi"}, {"queues", {"q", "r"}}, {"state", "waiting"},
                       {"comment", "a comment"}};
    auto posted = data;
    posted["log"] = {"one", "two"};
    ASSERT_EQ(post("/v1/agents/data/a1", posted, as("rig")).status, 200);
    auto answer = json_of(get("/v1/agents/data/a1", as("rig")));
    EXPECT_EQ(answer["name"], "a1");
    EXPECT_EQ(answer["restricted_to"], Json::object());
    EXPECT_EQ(answer["updated_at"], "2027-01-15T08:00:00Z");
    for (const auto& [field, value] : data.items()) EXPECT_EQ(answer[field], value) << field;
}

TEST_F(AgentApi, KeepsTheFieldsThatALaterPostLeavesOut) {
    ASSERT_EQ(post("/v1/agents/data/a1", {{"queues", {"q"}}, {"state", "waiting"}}, as("rig")).status, 200);
    ASSERT_EQ(post("/v1/agents/data/a1", {{"state", "test"}}, as("rig")).status, 200);
    const auto answer = json_of(get("/v1/agents/data/a1"));
    EXPECT_EQ(answer["state"], "test");
    EXPECT_EQ(answer["queues"], Json::array({"q"}));
}

TEST_F(AgentApi, SetsTheCookieThatIdentifiesTheAgent) {
    const auto response = post("/v1/agents/data/a1", {{"state", "waiting"}}, as("rig"));
    ASSERT_EQ(response.headers.size(), 1U);
    EXPECT_EQ(response.headers[0].first, "Set-Cookie");
    EXPECT_EQ(response.headers[0].second, "agent_name=a1; HttpOnly; Path=/; SameSite=Strict");
}

TEST_F(AgentApi, KeepsLineBreaksOutOfTheCookieHeader) {
    const auto response = post("/v1/agents/data/a%0D%0AX-Evil:%201;%22", {{"state", "waiting"}}, as("rig"));
    ASSERT_EQ(response.status, 200);
    EXPECT_EQ(response.headers[0].second.find_first_of("\r\n"), std::string::npos);
}

TEST_F(AgentApi, AnswersForAnUnknownAgentWithAnEmptyObject) {
    const auto response = get("/v1/agents/data/nobody", as("rig"));
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(json_of(response), Json::object());
}

TEST_F(AgentApi, RefusesUnknownFieldsAndWrongTypes) {
    const auto response = post("/v1/agents/data/a1", {{"mode", "online"}, {"queues", "q"}, {"state", 3}}, as("rig"));
    EXPECT_EQ(response.status, 422);
    EXPECT_EQ(json_of(response), Json::parse(R"({"message": "Validation error", "detail": {"json": {
        "mode": ["Unknown field."], "queues": ["Not a valid list."], "state": ["Not a valid string."]}}})"));
    EXPECT_EQ(get("/v1/agents/data/a1").status, 404);
}

TEST_F(AgentApi, LetsAdministratorsSetTheState) {
    ASSERT_EQ(post("/v1/agents/data/a1", {{"state", "waiting"}}, as("rig")).status, 200);
    for (const auto* who : {"root", "boss"}) {
        EXPECT_EQ(post("/v1/agents/data/a1", {{"state", "offline"}, {"comment", who}}, as(who)).status, 200);
        EXPECT_EQ(json_of(get("/v1/agents/data/a1"))["comment"], who);
    }
    EXPECT_EQ(post("/v1/agents/data/a1", {{"state", "offline"}}, as("alice")).status, 403);
}

TEST_F(AgentApi, ForgetsAnAgentAfterSevenSilentDays) {
    ASSERT_EQ(post("/v1/agents/data/a1", {{"state", "waiting"}}, as("rig")).status, 200);
    advance_clock(hours(7 * 24));
    EXPECT_EQ(get("/v1/agents/data/a1").status, 200);
    advance_clock(hours(1));
    EXPECT_EQ(get("/v1/agents/data/a1").status, 404);
}

TEST_F(AgentApi, ListsAllAgents) {
    EXPECT_EQ(json_of(get("/v1/agents/data")), Json::array());
    ASSERT_EQ(post("/v1/agents/data/a2", {{"state", "test"}}, as("rig")).status, 200);
    ASSERT_EQ(post("/v1/agents/data/a1", {{"state", "waiting"}}, as("rig")).status, 200);
    const auto all = json_of(get("/v1/agents/data"));
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0]["name"], "a1");
    EXPECT_EQ(all[1]["state"], "test");
}

TEST_F(AgentApi, ShowsTheOwnersOfRestrictedQueuesThatTheAgentListensOn) {
    ASSERT_EQ(post("/v1/agents/data/a1", {{"queues", {"q", "vip"}}}, as("rig")).status, 200);
    EXPECT_EQ(json_of(get("/v1/agents/data/a1"))["restricted_to"], Json::parse(R"({"vip": ["alice"]})"));
}

TEST_F(AgentApi, CountsProvisionsThatFailInARow) {
    ASSERT_EQ(post("/v1/agents/data/a1", {{"state", "waiting"}}, as("rig")).status, 200);
    const auto log = [&](int code) {
        return post("/v1/agents/provision_logs/a1", {{"job_id", "j"}, {"exit_code", code}, {"detail", "d"}}, as("rig"))
            .status;
    };
    EXPECT_EQ(log(0), 200);
    EXPECT_EQ(log(1), 200);
    EXPECT_EQ(log(46), 200);
    const auto agent = json_of(get("/v1/agents/data/a1"));
    EXPECT_EQ(agent["provision_streak_type"], "fail");
    EXPECT_EQ(agent["provision_streak_count"], 2);
}

TEST_F(AgentApi, RefusesProvisionLogsThatAreIncompleteOrFromNobody) {
    EXPECT_EQ(post("/v1/agents/provision_logs/a1", {{"job_id", "j"}, {"exit_code", 0}}, as("rig")).status, 404);
    EXPECT_EQ(post("/v1/agents/provision_logs/a1", {{"job_id", "j"}}, as("rig")).status, 422);
}

TEST_F(AgentApi, AdvertisesQueuesAndImages) {
    EXPECT_EQ(post("/v1/agents/queues", {{"q", "a queue"}, {"r", "another"}}, as("rig")).status, 200);
    EXPECT_EQ(post("/v1/agents/queues", {{"q", "the queue"}}, as("rig")).status, 200);
    EXPECT_EQ(json_of(get("/v1/agents/queues")), Json::parse(R"({"q": "the queue", "r": "another"})"));

    EXPECT_EQ(json_of(get("/v1/agents/images/q")), Json::object());
    EXPECT_EQ(post("/v1/agents/images", Json::parse(R"({"q": {"core": "url: x", "old": "url: y"}})"), as("rig")).status,
              200);
    EXPECT_EQ(post("/v1/agents/images", Json::parse(R"({"q": {"core": "url: z"}})"), as("rig")).status, 200);
    EXPECT_EQ(json_of(get("/v1/agents/images/q")), Json::parse(R"({"core": "url: z"})"));
    EXPECT_EQ(json_of(get("/v1/agents/images/unknown")), Json::object());
}

TEST_F(AgentApi, ForgetsAQueueThatIsNotAdvertisedForSevenDays) {
    ASSERT_EQ(post("/v1/agents/queues", {{"q", "a queue"}}, as("rig")).status, 200);
    advance_clock(hours(7 * 24 + 1));
    EXPECT_EQ(json_of(get("/v1/agents/queues")), Json::object());
}

TEST_F(AgentApi, RefusesMalformedQueuesAndImages) {
    for (const auto* body : {R"({"q": 5})", R"({"": "x"})", R"({"q": null})", "[]", "\"q\""}) {
        EXPECT_EQ(send("POST", "/v1/agents/queues", body, as("rig")).status, 422) << body;
    }
    for (const auto* body : {R"({"q": "x"})", R"({"q": {"a.b": "x"}})", R"({"q": {"$a": "x"}})", R"({"q": {"": "x"}})",
                             R"({"q": {"a": 5}})", R"({"": {}})"}) {
        EXPECT_EQ(send("POST", "/v1/agents/images", body, as("rig")).status, 422) << body;
    }
}

TEST_F(AgentApi, AcceptsWhatTheRealServerCoerces) {
    EXPECT_EQ(post("/v1/agents/data/a1", {{"state", "waiting"}}, as("rig")).status, 200);
    EXPECT_EQ(post("/v1/agents/provision_logs/a1", {{"job_id", "j"}, {"exit_code", "0"}}, as("rig")).status, 200);
}

}  // namespace
}  // namespace trebuchet::labserver
