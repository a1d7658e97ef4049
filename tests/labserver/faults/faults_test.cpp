#include "tests/labserver/api/server_fixture.hpp"

namespace trebuchet::labserver {
namespace {

class FaultsTest : public ServerTest {
  protected:
    void set(const std::string& spec) {
        auto fault = parse_fault(spec);
        ASSERT_TRUE(fault.has_value()) << fault.error().message();
        server.add_fault(std::move(*fault));
    }
    Json faults() { return json_of(get("/control/faults")); }
    Json last_record() { return json_of(get("/control/requests")).back(); }
};

TEST(Fault, IsReadFromText) {
    EXPECT_EQ(to_json(*parse_fault("status=503 GET /v1/job x3")),
              Json::parse(R"({"what": "status", "value": 503, "method": "GET", "target": "/v1/job", "count": 3})"));
    EXPECT_EQ(to_json(*parse_fault("close")), Json::parse(R"({"what": "close", "target": "*", "count": 1})"));
    EXPECT_EQ(to_json(*parse_fault("  delay   x0  /v1/result/*/log/output")),
              Json::parse(R"({"what": "delay", "value": 1000, "target": "/v1/result/*/log/output", "count": 0})"));
    EXPECT_EQ(to_json(*parse_fault("no-webhook x0")),
              Json::parse(R"({"what": "no-webhook", "target": "/v1/job/*/events", "count": 0})"));
}

TEST(Fault, IsReadBackAsItIsShown) {
    for (const auto* spec : {"refuse=5 POST /v1/job", "huge-headers x7", "interim=102 GET *", "wrong-types"}) {
        const auto shown = to_json(*parse_fault(spec));
        EXPECT_EQ(to_json(*fault_from(shown)), shown);
    }
}

TEST(Fault, SaysWhatIsWrongInASpec) {
    const std::pair<const char*, const char*> wrong[] = {
        {"", "there is no fault \"\""},           {"flood", "\"flood\", expected one of refuse, restart,"},
        {"status=99", "from 200 to 599"},         {"status=many", "\"many\" is not a number"},
        {"status=", "\"\" is not a number"},      {"close=1", "takes no value"},
        {"close GET PUT", "a second method"},     {"close /a /b", "a second target"},
        {"close x1 x2", "a second count"},        {"close x-1", "count"},
        {"close get", "cannot read \"get\""},     {"GET /v1/job", "there is no fault \"GET\""},
        {"refuse=999999999", "from 0 to 3600000"}};
    for (const auto& [spec, expected] : wrong) {
        const auto fault = parse_fault(spec);
        ASSERT_FALSE(fault.has_value()) << spec;
        EXPECT_NE(fault.error().message().find(expected), std::string::npos) << fault.error().message();
        EXPECT_NE(fault.error().message().find("expected \"WHAT"), std::string::npos);
    }
}

TEST(Fault, FitsAMethodAndAPathWhoseStarsAreAnyText) {
    const auto fits = [](const std::string& spec, const char* method, const std::string& target) {
        return parse_fault(spec)->matches(method, target);
    };
    EXPECT_TRUE(fits("close", "POST", "/v1/job/1/events"));
    EXPECT_TRUE(fits("close GET /v1/job", "GET", "/v1/job?queue=q"));
    EXPECT_FALSE(fits("close GET /v1/job", "POST", "/v1/job"));
    EXPECT_FALSE(fits("close /v1/job", "GET", "/v1/job/1"));
    EXPECT_TRUE(fits("close /v1/job/*", "GET", "/v1/job/1/events"));
    EXPECT_TRUE(fits("close /v1/*/log/*", "POST", "/v1/result/1/log/output"));
    EXPECT_FALSE(fits("close /v1/*/log/*", "POST", "/v1/result/1"));
    EXPECT_TRUE(fits("close */output", "POST", "/v1/result/1/log/output"));
    EXPECT_TRUE(fits("close /v1*", "GET", "/v1"));
    EXPECT_FALSE(fits("close /v1*v1", "GET", "/v1"));
    EXPECT_TRUE(fits("close *a*b*a*", "GET", "/xaxxbxaba"));
    EXPECT_FALSE(fits("close *a*b*c*", "GET", "/acb"));
    EXPECT_FALSE(fits("close " + std::string(1000, '*') + "x", "GET", "/" + std::string(10'000, 'y')));
}

TEST_F(FaultsTest, HitAsManyRequestsAsTheySay) {
    set("status=503 GET /v1 x2");
    EXPECT_EQ(get("/v1").status, 503);
    EXPECT_EQ(get("/v1/").status, 200) << "another path";
    EXPECT_EQ(get("/v1").status, 503);
    EXPECT_EQ(get("/v1").status, 200);
    EXPECT_EQ(faults()[0]["hits"], 2);
}

TEST_F(FaultsTest, HitAllRequestsUntilTheyAreCleared) {
    set("status=503 x0");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(get("/v1").status, 503);
    EXPECT_EQ(remove("/control/faults").status, 200);
    EXPECT_EQ(get("/v1").status, 200);
    EXPECT_EQ(faults(), Json::array());
}

TEST_F(FaultsTest, ActOneAfterAnother) {
    set("status=500");
    set("status=404 x2");
    EXPECT_EQ(get("/v1").status, 500);
    EXPECT_EQ(get("/v1").status, 404);
    EXPECT_EQ(get("/v1").status, 404);
    EXPECT_EQ(get("/v1").status, 200);
}

TEST_F(FaultsTest, AreAddedAndShownByTheControlApi) {
    const auto added = post("/control/faults", {{"what", "status"}, {"value", 502}, {"target", "/v1"}});
    EXPECT_EQ(json_of(added),
              Json::parse(R"([{"what": "status", "value": 502, "target": "/v1", "count": 1, "hits": 0}])"));
    EXPECT_EQ(get("/v1").status, 502);
    EXPECT_EQ(faults()[0]["hits"], 1);
    for (const auto* wrong : {R"({})", R"({"what": 5})", R"({"what": "close", "colour": "red"})",
                              R"({"what": "close", "count": -1})", R"({"what": "status", "value": "500"})",
                              R"({"what": "close", "method": "get"})", R"({"what": "close", "target": "v1"})"}) {
        EXPECT_EQ(post("/control/faults", Json::parse(wrong)).status, 422) << wrong;
    }
    EXPECT_EQ(faults().size(), 1U);
}

TEST_F(FaultsTest, LeaveTheControlApiAlone) {
    set("status=503 x0");
    set("close-unread x0");
    EXPECT_EQ(faults()[0]["hits"], 0);
    EXPECT_FALSE(server.cut("GET", "/control/faults").has_value());
    Sender remote;
    remote.from_loopback = false;
    EXPECT_EQ(get("/control/faults", remote).status, 403);
}

TEST_F(FaultsTest, RecordARequestWhoseAnswerIsLost) {
    set("lose-answer POST /v1/job");
    const auto response = post("/v1/job", {{"job_queue", "q"}});
    ASSERT_TRUE(response.wire.has_value());
    EXPECT_FALSE(response.wire->answer);
    EXPECT_TRUE(response.wire->cut);
    EXPECT_EQ(last_record()["status"], 200);
    EXPECT_EQ(take().status, 200) << "the job is there";
}

TEST_F(FaultsTest, RecordStatusZeroForARequestThatWasReadButNotHandled) {
    set("close POST /v1/job");
    const auto response = post("/v1/job", {{"job_queue", "q"}});
    ASSERT_TRUE(response.wire.has_value());
    EXPECT_FALSE(response.wire->answer);
    EXPECT_EQ(last_record()["target"], "/v1/job");
    EXPECT_EQ(last_record()["status"], 0);
    EXPECT_EQ(take().status, 204) << "there is no job";
}

TEST_F(FaultsTest, CutBeforeReadingWithoutARecord) {
    set("close-unread GET /v1");
    set("refuse=250 GET /v1");
    const auto first = server.cut("GET", "/v1?x");
    ASSERT_TRUE(first.has_value());
    EXPECT_FALSE(first->all);
    const auto second = server.cut("GET", "/v1");
    ASSERT_TRUE(second.has_value());
    EXPECT_TRUE(second->all);
    EXPECT_EQ(second->away.count(), 250);
    EXPECT_FALSE(server.cut("GET", "/v1").has_value());
    EXPECT_EQ(json_of(get("/control/requests")), Json::array());
    EXPECT_EQ(get("/v1").status, 200);
}

TEST_F(FaultsTest, AnswerAsForInvalidTokens) {
    set("expired-token");
    set("rotated-key");
    EXPECT_EQ(get("/v1/job?queue=q", as_agent()).status, 401);
    EXPECT_EQ(get("/v1/job?queue=q", as_agent()).status, 403);
    EXPECT_EQ(get("/v1/job?queue=q", as_agent()).status, 204);
}

TEST_F(FaultsTest, FailOnlyEventsWithoutAWebhook) {
    set("no-webhook");
    const auto job = submit({{"job_queue", "q"}, {"job_status_webhook", "https://example.com/hook"}});
    const Json events = {{"agent_id", "a1"},
                         {"job_queue", "q"},
                         {"job_status_webhook", "https://example.com/hook"},
                         {"events", Json::array()}};
    EXPECT_EQ(post("/v1/job/" + job + "/events", events, as_agent()).status, 500);
    EXPECT_EQ(post("/v1/job/" + job + "/events", events, as_agent()).status, 200);
}

TEST_F(FaultsTest, SpoilOnlyAnswersThatTheyCanSpoil) {
    set("huge-json=1000 GET /v1/job");
    set("truncate=5 GET /v1/job");
    EXPECT_EQ(take().status, 204);
    EXPECT_EQ(faults()[0]["hits"], 0) << "an answer without JSON is not hit";
    submit({{"job_queue", "q"}});
    EXPECT_GT(take().body.size(), 1000U);
    EXPECT_EQ(take().status, 204);
    EXPECT_EQ(faults()[1]["hits"], 0) << "an answer without a body is not hit";
    submit({{"job_queue", "q"}});
    const auto response = take();
    ASSERT_TRUE(response.wire.has_value());
    EXPECT_EQ(response.wire->content_length, response.body.size() + 5);
}

TEST_F(FaultsTest, MakeJsonHostileAndLeaveTheJobsId) {
    const auto body_with = [&](const std::string& fault) {
        set(fault + " GET /v1/job");
        const auto id = submit({{"job_queue", "q"}, {"name", "n"}, {"tags", {"a"}}, {"global_timeout", 5}});
        auto body = take().body;
        EXPECT_NE(body.find("\"job_id\":\"" + id + "\""), std::string::npos) << body;
        return body;
    };
    EXPECT_NE(body_with("deep-json=500").find(std::string(500, '[') + std::string(500, ']')), std::string::npos);
    EXPECT_NE(body_with("invalid-utf8").find('\xff'), std::string::npos);
    EXPECT_EQ(Json::parse(body_with("nul-json"))["name"], std::string("n\0", 2));
    const auto wrong = Json::parse(body_with("wrong-types"));
    EXPECT_EQ(wrong["name"], Json::array({"n"}));
    EXPECT_TRUE(wrong["tags"].is_object());
    EXPECT_TRUE(wrong["global_timeout"].is_string());
}

TEST_F(FaultsTest, AddHeadersOfTheSizeThatIsAskedFor) {
    set("huge-headers=100000");
    const auto response = get("/v1");
    std::size_t size = 0;
    for (const auto& [name, value] : response.headers) size += value.size();
    EXPECT_EQ(size, 100000U);
    EXPECT_EQ(response.status, 200);
}

}  // namespace
}  // namespace trebuchet::labserver
