#include "tests/labserver/api/server_fixture.hpp"

namespace trebuchet::labserver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ControlApi : public ServerTest {};

TEST_F(ControlApi, IsForThisMachineOnly) {
    Sender remote;
    remote.from_loopback = false;
    EXPECT_EQ(get("/control/requests", remote).status, 403);
    EXPECT_EQ(remove("/control/requests", remote).status, 403);
    EXPECT_EQ(post("/control/clients", {{"c", {{"secret_key", "k"}}}}, remote).status, 403);
    EXPECT_EQ(post("/control/tokens", {{"client_id", "root"}}, remote).status, 403);
    EXPECT_EQ(send("POST", "/control/keys/rotate", "", remote).status, 403);
    EXPECT_EQ(post("/control/clock", {{"advance_seconds", 1}}, remote).status, 403);
    EXPECT_EQ(post("/control/agents/a1", {{"state", "offline"}}, remote).status, 403);
    EXPECT_EQ(post("/control/settings", {{"anonymous", false}}, remote).status, 403);
    EXPECT_EQ(get(std::string("/control/timings/") + some_job_id, remote).status, 403);
    EXPECT_EQ(get("/v1", remote).status, 200);
}

TEST_F(ControlApi, TakesNothingThatAForeignWebPageCouldPost) {
    Sender page;
    page.content_type = "text/plain";
    EXPECT_EQ(post("/control/clients", {{"c", {{"secret_key", "k"}}}}, page).status, 415);
    EXPECT_EQ(post("/control/tokens", {{"client_id", "root"}}, page).status, 415);
}

TEST_F(ControlApi, AddsAndReplacesClients) {
    EXPECT_EQ(post("/control/tokens", {{"client_id", "new"}}).status, 404);
    const auto response = post("/control/clients", {{"new", {{"secret_key", "k"}, {"role", "manager"}}},
                                                    {"bob", {{"secret_key", "b"}, {"role", "agent"}}}});
    EXPECT_EQ(json_of(response), Json::parse(R"({"clients": ["bob", "new"]})"));
    EXPECT_EQ(get("/v1/job", as("bob")).status, 400);
    EXPECT_EQ(post("/v1/restricted-queues/q", {{"client_id", ""}}, as("new")).status, 400);
}

TEST_F(ControlApi, AddsNoClientIfOneIsWrongAndKeepsItsSecretOutOfTheMessage) {
    for (const auto* wrong :
         {R"({"role": "agent"})", R"({"secret_key": ""})", R"({"secret_key": "hush", "role": "king"})",
          R"({"secret_key": "hush", "colour": "red"})", R"({"secret_key": ["hush"]})", R"("hush")"}) {
        const auto response =
            post("/control/clients", {{"aaa", {{"secret_key", "hush"}}}, {"zzz", Json::parse(wrong)}});
        EXPECT_EQ(response.status, 422) << wrong;
        EXPECT_NE(response.body.find("zzz"), std::string::npos);
        EXPECT_EQ(response.body.find("hush"), std::string::npos);
        EXPECT_EQ(post("/control/tokens", {{"client_id", "aaa"}}).status, 404);
    }
    EXPECT_EQ(send("POST", "/control/clients", "[]").status, 422);
}

TEST_F(ControlApi, IssuesTokensWithoutAPassword) {
    const auto tokens = json_of(post("/control/tokens", {{"client_id", "rig"}}));
    EXPECT_EQ(get("/v1/job", {string_at(tokens, "access_token")}).status, 400);
    EXPECT_EQ(post("/v1/oauth2/refresh", {{"refresh_token", tokens["refresh_token"]}}).status, 200);
}

TEST_F(ControlApi, AdvancesTheClockButNeverBack) {
    EXPECT_EQ(json_of(post("/control/clock", {{"advance_seconds", 60}})),
              Json({{"now", "2027-01-15T08:01:00.000000+00:00"}, {"ahead_seconds", 60}}));
    EXPECT_EQ(json_of(post("/control/clock", {{"advance_seconds", 0}}))["ahead_seconds"], 60);
    EXPECT_EQ(post("/control/clock", {{"advance_seconds", -1}}).status, 422);
    EXPECT_EQ(post("/control/clock", {{"advance_seconds", INT64_MAX}}).status, 422);
    EXPECT_EQ(post("/control/clock", Json::object()).status, 422);
}

TEST_F(ControlApi, SetsAgentsAsAnAdministratorDoes) {
    ASSERT_EQ(post("/v1/agents/data/a1", {{"queues", {"q"}}, {"state", "waiting"}}, as("rig")).status, 200);
    ASSERT_EQ(
        post("/control/agents/a1",
             {{"state", "offline"}, {"comment", "fire"}, {"mode", "maintenance"}, {"restricted_to", {{"q", {"bob"}}}}})
            .status,
        200);
    const auto agent = json_of(get("/v1/agents/data/a1", as("rig")));
    EXPECT_EQ(agent["state"], "offline");
    EXPECT_EQ(agent["comment"], "fire");
    EXPECT_EQ(agent["mode"], "maintenance");
    EXPECT_EQ(agent["restricted_to"], Json::parse(R"({"q": ["bob"]})"));
    EXPECT_EQ(agent["queues"], Json::array({"q"}));
    EXPECT_EQ(post("/v1/job", {{"job_queue", "q"}}, as("alice")).status, 403);

    ASSERT_EQ(post("/control/agents/a1", {{"mode", nullptr}, {"restricted_to", {{"q", Json::array()}}}}).status, 200);
    EXPECT_FALSE(json_of(get("/v1/agents/data/a1")).contains("mode"));
    EXPECT_EQ(json_of(get("/v1/agents/data/a1"))["restricted_to"], Json::object());
    EXPECT_EQ(post("/v1/job", {{"job_queue", "q"}}, as("alice")).status, 200);
    EXPECT_EQ(post("/control/agents/a1", {{"mode", "sleepy"}}).status, 422);
    EXPECT_EQ(post("/control/agents/a1", {{"queues", {"q"}}}).status, 422);
}

TEST_F(ControlApi, MeasuresFromTheSentAnswerToTheJobsCompletion) {
    const auto id = submit({{"job_queue", "q"}});
    clock.advance(milliseconds(250));
    const auto response = get("/v1/job?queue=q", as_agent());
    EXPECT_FALSE(json_of(get("/control/timings/" + id)).contains("taken"));
    clock.advance(milliseconds(50));
    response.when_written();
    advance_clock(seconds(1000));
    clock.advance(milliseconds(1234));
    ASSERT_EQ(post("/v1/result/" + id, {{"job_state", "test"}}, as("rig")).status, 200);
    EXPECT_FALSE(json_of(get("/control/timings/" + id)).contains("complete"));
    ASSERT_EQ(post("/v1/result/" + id, {{"job_state", "complete"}}, as("rig")).status, 200);
    clock.advance(seconds(1));
    ASSERT_EQ(post("/v1/result/" + id, {{"job_state", "complete"}}, as("rig")).status, 200);
    const auto timings = json_of(get("/control/timings/" + id));
    EXPECT_DOUBLE_EQ(timings["posted_to_taken_ms"].get<double>(), 300.0);
    EXPECT_DOUBLE_EQ(timings["taken_to_complete_ms"].get<double>(), 1234.0);
    EXPECT_DOUBLE_EQ(timings["posted"].get<double>(), 1800000000.0);
    EXPECT_DOUBLE_EQ(timings["taken"].get<double>(), 1800000000.3);
    EXPECT_EQ(get(std::string("/control/timings/") + some_job_id).status, 404);
}

TEST_F(ControlApi, SurvivesAJobThatExpiresBeforeItsAnswerIsSent) {
    submit({{"job_queue", "q"}});
    const auto response = get("/v1/job?queue=q", as_agent());
    advance_clock(std::chrono::hours(8 * 24));
    EXPECT_EQ(take().status, 204);
    response.when_written();
}

TEST_F(ControlApi, RefusesUnknownSettings) {
    EXPECT_EQ(post("/control/settings", {{"gravity", false}}).status, 422);
    EXPECT_EQ(post("/control/settings", {{"events_status", 99}}).status, 422);
    EXPECT_EQ(post("/control/settings", {{"events_status", 600}}).status, 422);
    EXPECT_EQ(json_of(post("/control/settings", Json::object())),
              Json::parse(R"({"events_status": 200, "anonymous": true, "secrets_store": true, "result_status": true,
                              "agent_job_id": false})"));
    EXPECT_EQ(send("POST", "/control/settings", "{").status, 400);
    EXPECT_EQ(get("/control").status, 404);
    EXPECT_EQ(get("/control/settings").status, 405);
}

}  // namespace
}  // namespace trebuchet::labserver
