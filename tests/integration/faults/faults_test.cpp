#include "tests/integration/faults/faults_fixture.hpp"

#include <algorithm>
#include <deque>

namespace trebuchet::harness {
namespace {

/// A fault of the connection or of HTTP, once for each kind of request that an agent makes.
class FaultOfTheServer : public FaultsTest, public ::testing::WithParamInterface<Case> {};

TEST_P(FaultOfTheServer, LeavesAnAgentThatRunsTheNextJob) {
    const auto& fault = GetParam().fault;
    add_fault(fault, "GET", "/v1/agents/data/board-1");
    add_fault(fault, "POST", "/v1/agents/data/board-1");
    add_fault(fault, "GET", "/v1/job");
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << server.control("GET", "/faults") << agent.log();
    add_fault(fault, "POST", "/v1/result/*/log/output");
    add_fault(fault, "POST", "/v1/result/*");
    const auto id = server.post_job(job(small_job()));
    ASSERT_TRUE(server.faults_have_hit()) << server.control("GET", "/faults") << agent.log();

    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
    expect_good_agent();
}

INSTANTIATE_TEST_SUITE_P(
    Kind, FaultOfTheServer,
    ::testing::Values(Case{"Refuse", {{"what", "refuse"}, {"value", 300}}},
                      Case{"CloseUnread", {{"what", "close-unread"}}}, Case{"Close", {{"what", "close"}}},
                      Case{"LoseAnswer", {{"what", "lose-answer"}}}, Case{"Delay", {{"what", "delay"}, {"value", 300}}},
                      Case{"Slow", {{"what", "slow"}, {"value", 2}}},
                      Case{"InternalError", {{"what", "status"}, {"value", 500}}},
                      Case{"Unavailable", {{"what", "status"}, {"value", 503}}},
                      Case{"TooManyRequests", {{"what", "status"}, {"value", 429}}},
                      Case{"Redirect", {{"what", "status"}, {"value", 302}}},
                      Case{"NotFound", {{"what", "status"}, {"value", 404}}},
                      Case{"ExpiredToken", {{"what", "expired-token"}}}, Case{"RotatedKey", {{"what", "rotated-key"}}},
                      Case{"Interim", {{"what", "interim"}, {"value", 103}}},
                      Case{"InterimOnly", {{"what", "interim-only"}, {"value", 102}}},
                      Case{"Garbage", {{"what", "garbage"}}}, Case{"HugeHeaders", {{"what", "huge-headers"}}}),
    name_of);

/// The same for the call that gets the access token.
class FaultOfTheLogin : public FaultsTest, public ::testing::WithParamInterface<Case> {};

TEST_P(FaultOfTheLogin, LeavesAnAgentThatRunsTheNextJob) {
    add_fault(GetParam().fault, "POST", "/v1/oauth2/refresh");
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << agent.log();

    expect_good_agent();
}

INSTANTIATE_TEST_SUITE_P(
    Kind, FaultOfTheLogin,
    ::testing::Values(Case{"Refuse", {{"what", "refuse"}, {"value", 300}}}, Case{"Close", {{"what", "close"}}},
                      Case{"LoseAnswer", {{"what", "lose-answer"}}}, Case{"Slow", {{"what", "slow"}, {"value", 2}}},
                      Case{"Unavailable", {{"what", "status"}, {"value", 503}}},
                      Case{"ExpiredToken", {{"what", "expired-token"}}},
                      Case{"InterimOnly", {{"what", "interim-only"}}}, Case{"Garbage", {{"what", "garbage"}}},
                      Case{"HugeHeaders", {{"what", "huge-headers"}}}),
    name_of);

/// A fault that lasts until it is removed.
class LastingFault : public FaultsTest, public ::testing::WithParamInterface<Case> {
  protected:
    /// The largest number of requests that the agent made within one second.
    std::size_t busiest_second() {
        std::deque<double> times;
        std::size_t most = 0;
        for (const auto& request : server.requests()) {
            times.push_back(request["time"].get<double>());
            while (times.front() <= times.back() - 1.0) times.pop_front();
            most = std::max(most, times.size());
        }
        return most;
    }
};

TEST_P(LastingFault, IsRetriedAtIntervals) {
    auto fault = GetParam().fault;
    fault["count"] = 0;
    server.add_fault(fault);
    agent.start();
    ASSERT_TRUE(eventually([&] { return server.control("GET", "/faults")[0]["hits"] >= 4; })) << agent.log();
    EXPECT_LE(busiest_second(), 10U) << agent.log();
    static_cast<void>(server.control("DELETE", "/faults"));

    expect_good_agent();
}

INSTANTIATE_TEST_SUITE_P(
    Kind, LastingFault,
    ::testing::Values(Case{"Close", {{"what", "close"}}}, Case{"Unavailable", {{"what", "status"}, {"value", 503}}},
                      Case{"ExpiredToken", {{"what", "expired-token"}}}, Case{"RotatedKey", {{"what", "rotated-key"}}},
                      Case{"Interim", {{"what", "interim"}}}, Case{"Garbage", {{"what", "garbage"}}}),
    name_of);

/// A fault during the upload of artifacts.
class FaultOfTheUpload : public FaultsTest, public ::testing::WithParamInterface<Case> {};

TEST_P(FaultOfTheUpload, LosesNoArtifact) {
    agent.on("test", "mkdir artifacts; head -c 1000000 /dev/urandom | tee artifacts/noise | sha256sum");
    add_fault(GetParam().fault, "POST", "/v1/result/*/artifact");
    const auto id = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << agent.log();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    const auto artifacts = server.artifacts(id);
    ASSERT_EQ(artifacts.size(), 1U);
    EXPECT_EQ(artifacts.begin()->second.size(), 1'000'000U);
}

INSTANTIATE_TEST_SUITE_P(Kind, FaultOfTheUpload,
                         ::testing::Values(Case{"Refuse", {{"what", "refuse"}, {"value", 300}}},
                                           Case{"CloseUnread", {{"what", "close-unread"}}},
                                           Case{"Close", {{"what", "close"}}},
                                           Case{"LoseAnswer", {{"what", "lose-answer"}}},
                                           Case{"Unavailable", {{"what", "status"}, {"value", 503}}}),
                         name_of);

TEST_F(FaultsTest, LoseAJobWithTheAnswerThatHoldsItButNotTheAgent) {
    add_fault({{"what", "lose-answer"}}, "GET", "/v1/job");
    const auto lost = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << agent.log();

    expect_good_agent();
    EXPECT_EQ(server.job_state(lost), "running");
}

TEST_F(FaultsTest, OfANewerServerLoseNoJobSilently) {
    static_cast<void>(server.control("POST", "/settings", {{"agent_job_id", true}}));
    add_fault({{"what", "lose-answer"}}, "GET", "/v1/job");
    const auto lost = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << agent.log();
    ASSERT_TRUE(server.reaches(lost, "complete")) << agent.log();

    EXPECT_EQ(server.result(lost)["setup_status"], 100);
    EXPECT_THAT(server.log(lost, "setup"), ::testing::HasSubstr("its answer with the job was lost"));
    expect_good_agent();
}

TEST_F(FaultsTest, LoseNoJobBehindAnInterimAnswer) {
    add_fault({{"what", "interim"}}, "GET", "/v1/job");
    const auto id = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << agent.log();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    expect_good_agent();
}

TEST_F(FaultsTest, OfAMissingWebhookAreMetOnce) {
    server.add_fault({{"what", "no-webhook"}, {"count", 0}});
    auto fields = small_job();
    fields["job_status_webhook"] = webhook;
    const auto id = run_job(fields);

    EXPECT_EQ(server.control("GET", "/faults")[0]["hits"], 1);
    EXPECT_EQ(server.result(id)["test_status"], 0);
}

TEST_F(FaultsTest, OfAWebhookThatHangsDoNotHoldUpTheJob) {
    server.add_fault({{"what", "delay"}, {"value", 3'600'000}, {"target", "/v1/job/*/events"}, {"count", 0}});
    auto fields = small_job();
    fields["job_status_webhook"] = webhook;
    const auto id = run_job(fields);

    EXPECT_EQ(server.control("GET", "/faults")[0]["hits"], 1);
    EXPECT_EQ(server.result(id)["test_status"], 0);
}

TEST_F(FaultsTest, AreTakenFromTheCommandLine) {
    LabServer other(folder / "other", authority, 0,
                    {"--fault", "status=503 GET /v1/agents/data/board-1", "--fault", "close GET /v1/job"});
    agent.configure({{"server_address", other.url()}});
    agent.write_token(other.tokens(clients::agent)["refresh_token"]);
    const auto id = other.post_job(job(small_job()));
    agent.start();

    EXPECT_TRUE(other.reaches(id, "complete")) << agent.log();
    EXPECT_TRUE(other.faults_have_hit());
}

}  // namespace
}  // namespace trebuchet::harness
