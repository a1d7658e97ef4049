#include "tests/labserver/control/recorder.hpp"

#include "tests/labserver/api/server_fixture.hpp"

namespace trebuchet::labserver {
namespace {

class RecorderTest : public ServerTest {
  protected:
    Json recorded(const std::string& query = "") { return json_of(get("/control/requests" + query)); }
};

TEST_F(RecorderTest, RemembersEveryRequestInOrder) {
    clock.advance(std::chrono::milliseconds(1501));
    ASSERT_EQ(post("/v1/agents/data/a1", {{"state", "waiting"}}, as_agent()).status, 200);
    ASSERT_EQ(get("/v1/job?queue=q").status, 403);
    const auto records = recorded();
    ASSERT_EQ(records.size(), 2U);
    const auto time = records[0]["time"].get<double>();
    EXPECT_NEAR(time, 1800000001.501, 1e-6);
    EXPECT_EQ(records[0], Json({{"number", 1},
                                {"time", time},
                                {"method", "POST"},
                                {"target", "/v1/agents/data/a1"},
                                {"status", 200},
                                {"agent", "a1"},
                                {"client", "rig"},
                                {"size", 19},
                                {"body", {{"state", "waiting"}}}}));
    EXPECT_EQ(records[1], Json({{"number", 2},
                                {"time", time},
                                {"method", "GET"},
                                {"target", "/v1/job?queue=q"},
                                {"status", 403},
                                {"agent", nullptr},
                                {"client", nullptr},
                                {"size", 0}}));
}

TEST_F(RecorderTest, ReturnsTheRequestsAfterANumber) {
    for (int i = 0; i < 4; ++i) ASSERT_EQ(get("/v1").status, 200);
    EXPECT_EQ(recorded("?since=2").size(), 2U);
    EXPECT_EQ(recorded("?since=2")[0]["number"], 3);
    EXPECT_EQ(recorded("?since=4"), Json::array());
    EXPECT_EQ(get("/control/requests?since=x").status, 422);
    EXPECT_EQ(get("/control/requests?since=-1").status, 422);
    EXPECT_EQ(get("/control/requests?since=99999999999999999999999").status, 422);
}

TEST_F(RecorderTest, ForgetsOnRequestButCountsOn) {
    ASSERT_EQ(get("/v1").status, 200);
    EXPECT_EQ(json_of(remove("/control/requests")), Json({{"last", 1}}));
    EXPECT_EQ(recorded(), Json::array());
    ASSERT_EQ(get("/v1").status, 200);
    EXPECT_EQ(recorded()[0]["number"], 2);
}

TEST_F(RecorderTest, RemembersNoSecretAndNoToken) {
    const auto alice = as("alice");
    const auto tokens = json_of(post("/control/tokens", {{"client_id", "alice"}}));
    ASSERT_EQ(put("/v1/secrets/alice/p", {{"value", "hush-hush"}, {"expire_after", 60}}, alice).status, 200);
    ASSERT_EQ(put("/v1/secrets/alice/p", {{"vlaue", "hush-hush"}}, alice).status, 422);
    ASSERT_EQ(send("PUT", "/v1/secrets/alice/p", "\"hush-hush\"", alice).status, 422);
    ASSERT_EQ(send("PUT", "/v1/secrets/alice/p", "{\"value\": \"hush-hush\"", alice).status, 400);
    ASSERT_EQ(post("/v1/oauth2/refresh", {{"refresh_token", tokens["refresh_token"]}}).status, 200);
    submit({{"job_queue", "q"}, {"test_data", {{"secrets", {{"A", "p"}}}}}}, alice);
    ASSERT_EQ(take().status, 200);
    const auto records = recorded();
    EXPECT_EQ(records[0]["body"], Json({{"value", "(left out)"}, {"expire_after", 60}}));
    for (const auto& secret :
         {std::string("hush-hush"), alice.token, string_at(tokens, "refresh_token"), std::string("alice-key")}) {
        EXPECT_EQ(records.dump().find(secret), std::string::npos);
    }
}

TEST_F(RecorderTest, KeepsOnlyTheSizeOfWhatIsNotJson) {
    Sender form = as("rig");
    form.content_type = "multipart/form-data; boundary=b";
    EXPECT_EQ(send("POST", std::string("/v1/result/") + some_job_id + "/artifact", "12345", form).status, 400);
    EXPECT_EQ(send("POST", std::string("/v1/result/") + some_job_id, "{broken", as("rig")).status, 400);
    const auto records = recorded();
    EXPECT_EQ(records[0]["size"], 5);
    EXPECT_FALSE(records[0].contains("body"));
    EXPECT_EQ(records[1]["size"], 7);
    EXPECT_FALSE(records[1].contains("body"));
}

TEST_F(RecorderTest, TellsTheAnnouncedSizeOfABodyThatWasRefused) {
    Request request;
    request.method = "POST";
    request.target = std::string("/v1/result/") + some_job_id;
    request.body_over_limit = true;
    request.headers["content-length"] = "16777216";
    request.headers["authorization"] = "Bearer " + as("rig").token;
    EXPECT_EQ(server.handle(request).status, 413);
    EXPECT_EQ(recorded()[0]["size"], 16777216);
    EXPECT_EQ(recorded()[0]["status"], 413);
}

TEST(Recorder, ForgetsTheOldestWhenBodiesGetTooBig) {
    class Ok final : public Handler {
        Response handle(const Request& /*request*/) override { return text_answer("OK"); }
    } ok;
    const FakeClock clock;
    Recorder recorder(ok, clock, 100);
    Request request;
    request.target = "/";
    request.headers["content-type"] = "application/json";
    request.body = "\"" + std::string(40, 'x') + "\"";
    for (int i = 0; i < 5; ++i) EXPECT_EQ(recorder.handle(request).status, 200);
    EXPECT_EQ(recorder.since(0).size(), 2U);
    EXPECT_EQ(recorder.since(0)[0]["number"], 4);
    request.body = "\"" + std::string(400, 'x') + "\"";
    EXPECT_EQ(recorder.handle(request).status, 200);
    EXPECT_EQ(recorder.since(0).size(), 1U);
}

}  // namespace
}  // namespace trebuchet::labserver
