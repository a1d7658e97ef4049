#include "tests/labserver/api/server_fixture.hpp"

namespace trebuchet::labserver {
namespace {

using std::chrono::hours;

class ResultApi : public ServerTest {
  protected:
    int post_result(const std::string& id, const Json& body) {
        return post("/v1/result/" + id, body, as("rig")).status;
    }
    int post_fragment(const std::string& id, const std::string& type, const Json& number, const std::string& phase,
                      const std::string& data, const std::string& time = "2026-01-01T00:00:00+00:00") {
        return post("/v1/result/" + id + "/log/" + type,
                    {{"fragment_number", number}, {"timestamp", time}, {"phase", phase}, {"log_data", data}}, as("rig"))
            .status;
    }
    Json log(const std::string& id, const std::string& type, const std::string& query = "") {
        return json_of(get("/v1/result/" + id + "/log/" + type + "?" + query));
    }
};

TEST_F(ResultApi, ReplacesTheStatusEachTime) {
    const auto id = submit({{"job_queue", "q"}});
    EXPECT_EQ(post_result(id, {{"status", {{"setup", 0}, {"provision", 46}}}, {"job_state", "test"}}), 200);
    EXPECT_EQ(result_of(id), Json({{"job_state", "test"}, {"setup_status", 0}, {"provision_status", 46}}));
    EXPECT_EQ(post_result(id, {{"status", {{"test", "247"}}}}), 200);
    EXPECT_EQ(result_of(id), Json({{"job_state", "test"}, {"test_status", 247}}));
    EXPECT_EQ(post_result(id, {{"job_state", "complete"}}), 200);
    EXPECT_EQ(result_of(id), Json({{"job_state", "complete"}, {"test_status", 247}}));
}

TEST_F(ResultApi, KeepsDeviceInfo) {
    const auto id = submit({{"job_queue", "q"}});
    const Json info = {{"device_ip", "10.0.0.1"}, {"nested", {{"x", {1, 2}}}}};
    EXPECT_EQ(post_result(id, {{"device_info", info}}), 200);
    EXPECT_EQ(result_of(id)["device_info"], info);
    EXPECT_EQ(result_of(id)["job_state"], "waiting");
}

TEST_F(ResultApi, TakesOnlyThreeFields) {
    const auto id = submit({{"job_queue", "q"}});
    for (const auto* body : {R"({"test_output": "x"})", R"({"status": {"lunch": 0}})", R"({"status": {"test": "x"}})",
                             R"({"status": {"test": null}})", R"({"status": 0})", R"({"device_info": []})",
                             R"({"job_state": 5})", R"([])", R"(null)"}) {
        EXPECT_EQ(send("POST", "/v1/result/" + id, body, as("rig")).status, 422) << body;
    }
    EXPECT_EQ(post_result(id, Json::object()), 200);
}

TEST_F(ResultApi, AcceptsAResultOfAnUnknownJobAndForgetsIt) {
    EXPECT_EQ(post_result(some_job_id, {{"job_state", "complete"}}), 200);
    EXPECT_EQ(get(std::string("/v1/result/") + some_job_id).status, 204);
    EXPECT_EQ(post_result("42", {{"job_state", "complete"}}), 400);
    EXPECT_EQ(get("/v1/result/42").status, 400);
}

TEST_F(ResultApi, TellsTheStateAndTheCodesWithoutLogs) {
    const auto id = submit({{"job_queue", "q"}});
    const auto target = "/v1/result/" + id + "/status";
    EXPECT_EQ(post_result(id, {{"status", {{"setup", 0}, {"test", 3}}}, {"job_state", "test"}}), 200);
    EXPECT_EQ(post_fragment(id, "output", 0, "test", "x"), 200);
    EXPECT_EQ(json_of(get(target, as("rig"))), Json({{"job_state", "test"}, {"setup_status", 0}, {"test_status", 3}}));
    EXPECT_EQ(get(std::string("/v1/result/") + some_job_id + "/status").status, 204);
    EXPECT_EQ(get("/v1/result/42/status").status, 400);
    ASSERT_EQ(post("/control/settings", {{"result_status", false}}).status, 200);
    EXPECT_EQ(get(target, as("rig")).status, 404);
}

TEST_F(ResultApi, NamesTheJobInTheAgentsRecordUntilItIsOverWhereThatIsSetSo) {
    const auto id = submit({{"job_queue", "q"}});
    ASSERT_EQ(post("/control/settings", {{"agent_job_id", true}}).status, 200);
    const auto agents_job = [&] { return json_of(get("/v1/agents/data/a1", as("rig"))).value("job_id", ""); };
    ASSERT_EQ(take().status, 200);
    EXPECT_EQ(agents_job(), id);
    EXPECT_EQ(post_result(id, {{"job_state", "test"}}), 200);
    EXPECT_EQ(agents_job(), id);
    EXPECT_EQ(post_result(id, {{"job_state", "complete"}}), 200);
    EXPECT_EQ(agents_job(), "");
}

TEST_F(ResultApi, LetsEveryRoleReadResults) {
    const auto id = submit({{"job_queue", "q"}});
    for (const auto* who : {"root", "boss", "alice", "rig"})
        EXPECT_EQ(get("/v1/result/" + id, as(who)).status, 200) << who;
    EXPECT_EQ(get("/v1/result/" + id).status, 200);
}

TEST_F(ResultApi, ShowsFragmentsByNumberWithoutDroppingRepeats) {
    const auto id = submit({{"job_queue", "q"}});
    EXPECT_EQ(post_fragment(id, "output", 2, "test", "c\n"), 200);
    EXPECT_EQ(post_fragment(id, "output", 0, "setup", "a\n"), 200);
    EXPECT_EQ(post_fragment(id, "output", 1, "test", "b\n"), 200);
    EXPECT_EQ(post_fragment(id, "output", 1, "test", "b again\n"), 200);
    EXPECT_EQ(post_fragment(id, "serial", 0, "provision", "boot \xF0\x9F\x9A\x80\n"), 200);
    EXPECT_EQ(result_of(id), Json({{"job_state", "waiting"},
                                   {"setup_output", "a\n"},
                                   {"test_output", "b\nb again\nc\n"},
                                   {"provision_serial", "boot \xF0\x9F\x9A\x80\n"}}));
}

TEST_F(ResultApi, RefusesMalformedFragments) {
    const auto id = std::string(some_job_id);
    EXPECT_EQ(post_fragment(id, "output", 0, "lunch", "x"), 422);
    EXPECT_EQ(post_fragment(id, "output", "x", "test", "x"), 422);
    EXPECT_EQ(post_fragment(id, "output", 0, "test", "x", "yesterday"), 422);
    EXPECT_EQ(post_fragment(id, "stderr", 0, "test", "x"), 404);
    EXPECT_EQ(post_fragment("42", "output", 0, "test", "x"), 400);
    EXPECT_EQ(post("/v1/result/" + id + "/log/output", {{"fragment_number", 0}}, as("rig")).status, 422);
    EXPECT_EQ(
        send("POST", "/v1/result/" + id + "/log/output",
             "{\"fragment_number\":0,\"timestamp\":\"2026-01-01T00:00:00Z\",\"phase\":\"test\",\"log_data\":\"\xff\"}",
             as("rig"))
            .status,
        400);
}

TEST_F(ResultApi, SelectsLogsByPhaseFragmentAndTime) {
    const auto id = submit({{"job_queue", "q"}});
    post_fragment(id, "output", 0, "setup", "a", "2026-01-01T10:00:00+00:00");
    post_fragment(id, "output", 1, "test", "b", "2026-01-01T10:01:00.5+00:00");
    post_fragment(id, "output", 2, "test", "c", "2026-01-01T12:02:00+02:00");
    EXPECT_EQ(log(id, "output", "phase=test"),
              Json::parse(R"({"output": {"test": {"last_fragment_number": 2, "log_data": "bc"}}})"));
    EXPECT_EQ(log(id, "output", "phase=test&start_fragment=2")["output"]["test"]["log_data"], "c");
    EXPECT_EQ(log(id, "output", "phase=test&start_timestamp=2026-01-01T10:01:00")["output"]["test"]["log_data"], "bc");
    EXPECT_EQ(log(id, "output", "phase=test&start_timestamp=2026-01-01T10:01:01Z")["output"]["test"]["log_data"], "c");
    const auto all = log(id, "output")["output"];
    EXPECT_EQ(all.size(), 7U);
    EXPECT_EQ(all["setup"], Json::parse(R"({"last_fragment_number": 0, "log_data": "a"})"));
    EXPECT_EQ(all["reserve"], Json::parse(R"({"last_fragment_number": -1, "log_data": ""})"));
    EXPECT_EQ(log(id, "serial")["serial"]["test"]["log_data"], "");
}

TEST_F(ResultApi, RefusesBadLogQueries) {
    const auto target = std::string("/v1/result/") + some_job_id + "/log/output";
    for (const auto* query :
         {"phase=lunch", "start_fragment=-1", "start_fragment=x", "start_timestamp=now", "bogus=1"}) {
        EXPECT_EQ(get(target + "?" + query).status, 400) << query;
    }
    EXPECT_EQ(get("/v1/result/42/log/output").status, 400);
    EXPECT_EQ(get(std::string("/v1/result/") + some_job_id + "/log/stderr").status, 404);
}

TEST_F(ResultApi, KeepsLogsOfUnknownJobsForSevenDays) {
    EXPECT_EQ(post_fragment(some_job_id, "output", 0, "test", "x"), 200);
    EXPECT_EQ(get(std::string("/v1/result/") + some_job_id).status, 204);
    EXPECT_EQ(log(some_job_id, "output", "phase=test")["output"]["test"]["log_data"], "x");
    advance_clock(hours(7 * 24 + 1));
    EXPECT_EQ(log(some_job_id, "output", "phase=test")["output"]["test"]["log_data"], "");
}

TEST_F(ResultApi, RefusesABodyOverTheLimit) {
    EXPECT_EQ(Labserver::body_limit("/v1/result/x"), 16U * 1024 * 1024 - 1);
    EXPECT_GT(Labserver::body_limit("/v1/result/x/artifact"), 100U * 1024 * 1024);
    EXPECT_GT(Labserver::body_limit("/v1/job/x/attachments?y=z"), 100U * 1024 * 1024);
    Request request;
    request.method = "POST";
    request.target = std::string("/v1/result/") + some_job_id;
    request.body_over_limit = true;
    EXPECT_EQ(server.handle(request).status, 403);
    request.headers["authorization"] = "Bearer " + as("rig").token;
    EXPECT_EQ(server.handle(request).status, 413);
}

}  // namespace
}  // namespace trebuchet::labserver
