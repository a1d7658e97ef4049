#include "tests/labserver/api/server_fixture.hpp"

namespace trebuchet::labserver {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class JobApi : public ServerTest {
  protected:
    std::string taken_id(const std::string& query = "queue=q", const std::string& agent = "a1") {
        const auto response = take(query, agent);
        return response.status == 200 ? string_at(json_of(response), "job_id") : std::string();
    }
    int post_state(const std::string& id, const char* state) {
        return post("/v1/result/" + id, {{"job_state", state}}, as("rig")).status;
    }
    Response act(const std::string& id, const Json& body = {{"action", "cancel"}}) {
        return post("/v1/job/" + id + "/action", body);
    }
};

TEST_F(JobApi, GivesAJobOutOnceAsOneFlatObject) {
    const auto id = submit({{"job_queue", "q"}, {"test_data", {{"test_cmds", "true"}}}});
    const auto response = take();
    ASSERT_EQ(response.status, 200);
    EXPECT_EQ(json_of(response), Json({{"job_id", id},
                                       {"job_queue", "q"},
                                       {"test_data", {{"test_cmds", "true"}}},
                                       {"exclude_agents", Json::array()},
                                       {"started_at", "2027-01-15T08:00:00+00:00Z"}}));
    EXPECT_EQ(result_of(id), Json({{"job_state", "running"}}));
    const auto empty = take();
    EXPECT_EQ(empty.status, 204);
    EXPECT_EQ(empty.body, "");
}

TEST_F(JobApi, RequiresQueuesAndACookie) {
    EXPECT_EQ(get("/v1/job", as_agent()).status, 400);
    EXPECT_EQ(get("/v1/job?other=q", as_agent()).status, 400);
    const auto response = get("/v1/job?queue=q", as("rig"));
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(json_of(response)["message"], "Agent not identified");
}

TEST_F(JobApi, GivesOutTheOldestOfTheHighestPriority) {
    const auto first = submit({{"job_queue", "q"}});
    const auto second = submit({{"job_queue", "r"}});
    const auto urgent = submit({{"job_queue", "q"}, {"job_priority", 2}}, as("alice"));
    const auto more_urgent = submit({{"job_queue", "q"}, {"job_priority", 5}}, as("alice"));
    const auto as_urgent = submit({{"job_queue", "q"}, {"job_priority", 2}}, as("alice"));
    for (const auto& id : {more_urgent, urgent, as_urgent, first, second}) EXPECT_EQ(taken_id("queue=q&queue=r"), id);
    EXPECT_EQ(taken_id("queue=q&queue=r"), "");
}

TEST_F(JobApi, GivesOutOnlyJobsOfTheQueuesAskedFor) {
    submit({{"job_queue", "r"}});
    const auto odd = submit({{"job_queue", "a queue/+&x"}});
    EXPECT_EQ(taken_id("queue=q"), "");
    EXPECT_EQ(taken_id("queue=q&queue=a+queue%2F%2B%26x"), odd);
}

TEST_F(JobApi, PassesOverJobsThatExcludeTheAgent) {
    for (const auto* name : {"a1", "a2"}) {
        ASSERT_EQ(post(std::string("/v1/agents/data/") + name, {{"queues", {"q"}}}, as("rig")).status, 200);
    }
    const auto not_for_a1 = submit({{"job_queue", "q"}, {"exclude_agents", {"a1"}}});
    const auto for_all = submit({{"job_queue", "q"}});
    EXPECT_EQ(taken_id("queue=q", "a1"), for_all);
    EXPECT_EQ(taken_id("queue=q", "a1"), "");
    EXPECT_EQ(taken_id("queue=q", "a2"), not_for_a1);
}

TEST_F(JobApi, ShowsAJobWhateverItsStateWithoutWhatTheServerAdded) {
    const auto id = submit({{"job_queue", "q"}, {"test_data", {{"attachments", {{{"agent", "f"}}}}}}});
    for (int i = 0; i < 2; ++i) {
        const auto job = json_of(get("/v1/job/" + id));
        EXPECT_EQ(job["job_id"], id);
        EXPECT_EQ(job.size(), 4U) << job;
        act(id);
    }
    EXPECT_EQ(get(std::string("/v1/job/") + some_job_id).status, 204);
    EXPECT_EQ(get("/v1/job/42").status, 400);
}

TEST_F(JobApi, TellsThePositionInTheQueue) {
    const auto first = submit({{"job_queue", "q"}});
    submit({{"job_queue", "r"}});
    const auto second = submit({{"job_queue", "q"}});
    submit({{"job_queue", "q"}, {"job_priority", 2}}, as("alice"));
    EXPECT_EQ(get("/v1/job/" + first + "/position").body, "1");
    EXPECT_EQ(get("/v1/job/" + second + "/position").body, "2");
    taken_id();
    taken_id();
    EXPECT_EQ(get("/v1/job/" + first + "/position").status, 410);
    EXPECT_EQ(get("/v1/job/" + second + "/position").body, "0");
    EXPECT_EQ(get(std::string("/v1/job/") + some_job_id + "/position").status, 410);
    EXPECT_EQ(get("/v1/job/42/position").status, 400);
}

TEST_F(JobApi, FindsJobsByTagsAndState) {
    const auto ab = submit({{"job_queue", "q"}, {"tags", {"a", "b"}}});
    const auto a = submit({{"job_queue", "q"}, {"tags", {"a"}}});
    const auto none = submit({{"job_queue", "r"}});
    act(a);
    const auto found = [&](const std::string& query) {
        std::vector<std::string> ids;
        for (const auto& job : json_of(get("/v1/job/search?" + query))) ids.push_back(string_at(job, "job_id"));
        return ids;
    };
    using Ids = std::vector<std::string>;
    EXPECT_EQ(found(""), (Ids{ab, a, none}));
    EXPECT_EQ(found("tags=a"), (Ids{ab, a}));
    EXPECT_EQ(found("tags=b&tags=c"), (Ids{ab}));
    EXPECT_EQ(found("tags=a&tags=b&match=all"), (Ids{ab}));
    EXPECT_EQ(found("tags=a&state=active"), (Ids{ab}));
    EXPECT_EQ(found("state=cancelled&state=completed"), (Ids{a}));
    EXPECT_EQ(json_of(get("/v1/job/search?state=cancelled"))[0],
              Json({{"job_id", a}, {"created_at", "2027-01-15T08:00:00Z"}, {"job_state", "cancelled"}}));
    EXPECT_EQ(get("/v1/job/search?state=sleeping").status, 422);
    EXPECT_EQ(get("/v1/job/search?match=some").status, 422);
}

TEST_F(JobApi, CancelsAJobThatIsNotOver) {
    const auto waiting = submit({{"job_queue", "q"}});
    EXPECT_EQ(act(waiting).status, 200);
    EXPECT_EQ(result_of(waiting)["job_state"], "cancelled");
    EXPECT_EQ(taken_id(), "");
    EXPECT_EQ(act(waiting).status, 400);

    const auto running = submit({{"job_queue", "q"}});
    taken_id();
    EXPECT_EQ(act(running).status, 200);
    EXPECT_EQ(post_state(running, "test"), 200);
    EXPECT_EQ(result_of(running)["job_state"], "test");
    for (const auto* over : {"complete", "completed"}) {
        EXPECT_EQ(post_state(running, over), 200);
        EXPECT_EQ(act(running).status, 400);
    }
    EXPECT_EQ(act(some_job_id).status, 400);
    EXPECT_EQ(act("42").status, 400);
    EXPECT_EQ(act(waiting, {{"action", "explode"}}).status, 422);
    EXPECT_EQ(act(waiting, Json::object()).status, 422);
}

TEST_F(JobApi, QueuesAJobAgainThatIsPostedAsWaiting) {
    const auto id = submit({{"job_queue", "q"}});
    taken_id();
    EXPECT_EQ(post_state(id, "waiting"), 200);
    EXPECT_EQ(taken_id(), id);
}

TEST_F(JobApi, ForgetsJobsAfterSevenDays) {
    const auto old = submit({{"job_queue", "q"}});
    advance_clock(hours(24));
    const auto younger = submit({{"job_queue", "q"}});
    advance_clock(hours(6 * 24) + seconds(61));
    EXPECT_EQ(get("/v1/job/" + old).status, 204);
    EXPECT_EQ(get("/v1/result/" + old).status, 204);
    EXPECT_EQ(post_state(old, "complete"), 200);
    EXPECT_EQ(taken_id(), younger);
    EXPECT_EQ(taken_id(), "");
}

class JobEvents : public JobApi {
  protected:
    Json body = Json::parse(R"({"agent_id": "a1", "job_queue": "q", "job_status_webhook": "http://localhost/hook",
        "events": [{"event_name": "job_start", "timestamp": "2026-01-01T00:00:00+00:00", "detail": ""}]})");
    int status(const std::string& id) { return post("/v1/job/" + id + "/events", body, as("rig")).status; }
};

TEST_F(JobEvents, AreTakenForAJobThatNamesAWebhook) {
    const auto id = submit({{"job_queue", "q"}, {"job_status_webhook", "http://localhost/hook"}});
    EXPECT_EQ(status(id), 200);
    EXPECT_EQ(json_of(get("/control/requests")).back()["body"], body);
}

TEST_F(JobEvents, FailWithoutAWebhookOrAsTheControlApiSays) {
    EXPECT_EQ(status(submit({{"job_queue", "q"}})), 500);
    const auto id = submit({{"job_queue", "q"}, {"job_status_webhook", "http://localhost/hook"}});
    for (const int code : {500, 502, 504, 403}) {
        ASSERT_EQ(post("/control/settings", {{"events_status", code}}).status, 200);
        EXPECT_EQ(status(id), code);
    }
    EXPECT_EQ(status(some_job_id), 404);
    EXPECT_EQ(status("42"), 400);
}

TEST_F(JobEvents, HaveADetailThatIsAString) {
    const auto id = submit({{"job_queue", "q"}, {"job_status_webhook", "http://localhost/hook"}});
    body["events"][0]["detail"] = 5;
    EXPECT_EQ(status(id), 422);
    body["events"][0].erase("detail");
    EXPECT_EQ(status(id), 200);
    body["job_status_webhook"] = "nowhere";
    EXPECT_EQ(status(id), 422);
}

}  // namespace
}  // namespace trebuchet::labserver
