#include "tests/labserver/api/server_fixture.hpp"

namespace trebuchet::labserver {
namespace {

class JobSubmit : public ServerTest {
  protected:
    int status(const Json& job, const Sender& by = {}) { return post("/v1/job", job, by).status; }
    int status_with(const char* field, const Json& value) { return status({{"job_queue", "q"}, {field, value}}); }
    Json errors(const Json& job) { return json_of(post("/v1/job", job))["detail"]["json"]; }
};

TEST_F(JobSubmit, TakesEveryFieldOfTheSchema) {
    const auto job = Json::parse(R"({
        "parent_job_id": "p", "name": "n", "tags": ["a", "b"], "job_queue": "q", "global_timeout": 60, "output_timeout": 30,
        "allocation_timeout": 10, "provision_data": {"url": "http://example.com/image.img"}, "firmware_update_data": {"version": "latest"},
        "test_data": {"test_cmds": "true", "test_username": "u", "test_password": "p"}, "allocate_data": {"any": [1, {"x": null}]},
        "reserve_data": {"ssh_keys": ["lp:me", "gh:me"], "timeout": "2h30m"}, "job_status_webhook": "anything", "job_priority": 0,
        "exclude_agents": [], "debug": true})");
    const auto id = submit(job);
    auto expected = job;
    expected["job_id"] = id;
    expected["reserve_data"]["timeout"] = 9000;
    EXPECT_EQ(json_of(get("/v1/job/" + id)), expected);
}

TEST_F(JobSubmit, NamesEveryFieldThatIsWrong) {
    EXPECT_EQ(
        errors({{"job_queue", 5}, {"bogus", 1}, {"tags", {"a", 5}}, {"global_timeout", "soon"}, {"debug", nullptr}}),
        Json::parse(
            R"({"job_queue": ["Not a valid string."], "bogus": ["Unknown field."], "tags": {"1": ["Not a valid string."]},
                              "global_timeout": ["Not a valid integer."], "debug": ["Field may not be null."]})"));
    EXPECT_EQ(errors(Json::object()), Json::parse(R"({"job_queue": ["Missing data for required field."]})"));
    EXPECT_EQ(errors({{"job_queue", ""}}), Json::parse(R"({"job_queue": ["Shorter than minimum length 1."]})"));
    EXPECT_EQ(errors(Json::array()), Json::parse(R"({"_schema": ["Invalid input type."]})"));
}

TEST_F(JobSubmit, RefusesWrongTypesInEveryField) {
    for (const auto* field : {"name", "parent_job_id", "job_status_webhook", "job_id"})
        EXPECT_EQ(status_with(field, 5), 422) << field;
    for (const auto* field : {"global_timeout", "output_timeout", "allocation_timeout", "job_priority"}) {
        EXPECT_EQ(status_with(field, "x"), 422) << field;
        EXPECT_EQ(status_with(field, true), 422) << field;
        EXPECT_EQ(status_with(field, 1e300), 422) << field;
    }
    for (const auto* field : {"test_data", "reserve_data", "firmware_update_data", "allocate_data"}) {
        EXPECT_EQ(status_with(field, "x"), 422) << field;
        EXPECT_EQ(status_with(field, nullptr), 422) << field;
    }
    EXPECT_EQ(status_with("test_data", {{"test_cmds", {"a", "b"}}}), 422);
    EXPECT_EQ(status_with("test_data", {{"unknown", 1}}), 422);
    EXPECT_EQ(status_with("test_data", {{"attachments", {{{"device", "d"}}}}}), 422);
    EXPECT_EQ(status_with("reserve_data", {{"ssh_keys", {"me"}}}), 422);
    EXPECT_EQ(status_with("reserve_data", {{"timeout", "2 fortnights"}}), 422);
    EXPECT_EQ(status_with("reserve_data", {{"timeout", -1}}), 422);
    EXPECT_EQ(status_with("reserve_data", {{"timeout", 2.5}}), 422);
    EXPECT_EQ(status_with("exclude_agents", "a1"), 422);
}

TEST_F(JobSubmit, TakesProvisionDataOfAnyKnownDeviceType) {
    for (const auto* data :
         {R"(null)", R"({})", R"({"skip": false})", R"({"distro": "jammy"})", R"({"url": "http://example.com/i"})",
          R"({"use_attachment": "image", "attachments": [{"agent": "image"}]})",
          R"({"url": "http://127.0.0.1:8000/i", "media": "sd", "create_user": "yes"})",
          R"({"jobs": [{"job_queue": "x"}]})", R"({"preset": "p", "urls": ["http://example.com/i"]})",
          R"({"provision_plan": {}, "url": "http://example.com/i", "ubuntu_sso_email": "me@example.com"})",
          R"({"url": "http://example.com/i", "robot_tasks": ["t"], "live_image": true, "wait_until_ssh": false})"}) {
        EXPECT_EQ(status_with("provision_data", Json::parse(data)), 200) << data;
    }
    for (const auto* data : {R"({"foo": 1})", R"({"url": 5})", R"({"url": "not a url"})", R"({"jobs": []})",
                             R"({"media": "floppy"})", R"([])", R"("x")", R"({"preset": "p", "urls": []})"}) {
        EXPECT_EQ(status_with("provision_data", Json::parse(data)), 422) << data;
    }
}

TEST_F(JobSubmit, StoresNumbersAsTheRealServerDoes) {
    const auto id = submit({{"job_queue", "q"}, {"global_timeout", "60"}, {"output_timeout", 2.9}, {"debug", "no"}});
    const auto job = json_of(get("/v1/job/" + id));
    EXPECT_EQ(job["global_timeout"], 60);
    EXPECT_EQ(job["output_timeout"], 2);
    EXPECT_EQ(job["debug"], false);
    EXPECT_EQ(job["exclude_agents"], Json::array());
}

TEST_F(JobSubmit, IgnoresABodyThatDoesNotSayThatItIsJson) {
    Sender plain;
    plain.content_type = "text/plain";
    EXPECT_EQ(post("/v1/job", {{"job_queue", "q"}}, plain).status, 422);
    plain.content_type = "Application/JSON; charset=utf-8";
    EXPECT_EQ(post("/v1/job", {{"job_queue", "q"}}, plain).status, 200);
}

TEST_F(JobSubmit, KeepsAGivenIdThatIsAUuid) {
    EXPECT_EQ(submit({{"job_queue", "q"}, {"job_id", some_job_id}}), some_job_id);
    EXPECT_EQ(status({{"job_queue", "q"}, {"job_id", "42"}}), 400);
    EXPECT_NE(submit({{"job_queue", "q"}, {"job_id", ""}}), "");
}

TEST_F(JobSubmit, StartsAResubmittedJobAfresh) {
    submit({{"job_queue", "q"}, {"job_id", some_job_id}});
    ASSERT_EQ(take().status, 200);
    submit({{"job_queue", "q"}, {"job_id", some_job_id}});
    EXPECT_EQ(result_of(some_job_id), Json({{"job_state", "waiting"}}));
    EXPECT_EQ(take().status, 200);
    EXPECT_EQ(take().status, 204);
}

TEST_F(JobSubmit, AsksForPermissionToSetAPriority) {
    const auto with = [](int priority, const char* queue) {
        return Json{{"job_queue", queue}, {"job_priority", priority}};
    };
    EXPECT_EQ(status(with(0, "q")), 200);
    EXPECT_EQ(status(with(1, "q")), 401);
    EXPECT_EQ(status(with(1, "q"), as("bob")), 403);
    EXPECT_EQ(status(with(10, "q"), as("alice")), 200);
    EXPECT_EQ(status(with(11, "q"), as("alice")), 403);
    EXPECT_EQ(status(with(3, "other"), as("alice")), 200);
    EXPECT_EQ(status(with(4, "other"), as("alice")), 403);
}

TEST_F(JobSubmit, AsksForPermissionToReserveForLong) {
    const auto reserving = [](const Json& time) {
        return Json{{"job_queue", "q"}, {"reserve_data", {{"timeout", time}}}};
    };
    EXPECT_EQ(status(reserving("6h")), 200);
    EXPECT_EQ(status(reserving(nullptr)), 200);
    EXPECT_EQ(status(reserving(21601)), 401);
    EXPECT_EQ(status(reserving(21601), as("bob")), 403);
    EXPECT_EQ(status(reserving("10h"), as("alice")), 200);
    EXPECT_EQ(status(reserving("11h"), as("alice")), 403);
}

TEST_F(JobSubmit, RefusesAJobThatNoAgentMayRun) {
    const Json job = {{"job_queue", "q"}, {"exclude_agents", {"a1"}}};
    EXPECT_EQ(status(job), 422);
    ASSERT_EQ(post("/v1/agents/data/a1", {{"queues", {"q"}}}, as("rig")).status, 200);
    EXPECT_EQ(status(job), 422);
    ASSERT_EQ(post("/v1/agents/data/a2", {{"queues", {"q"}}}, as("rig")).status, 200);
    EXPECT_EQ(status(job), 200);
}

}  // namespace
}  // namespace trebuchet::labserver
