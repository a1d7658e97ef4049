#include "tests/integration/lab_test.hpp"

#include <ostream>
#include <string>
#include <vector>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;

/// A job costs some forty requests, an idle agent two in a second, one that spins a thousand.
constexpr std::size_t most_requests = 400;

class FaultsTest : public LabTest {
  protected:
    FaultsTest() { agent.on("test", "seq 1 100"); }

    static Json small_job() { return {{"test_data", {{"test_cmds", "x"}}}}; }

    void add_fault(Json fault, const char* method, const std::string& target) {
        fault["method"] = method;
        fault["target"] = target;
        server.add_fault(fault);
    }

    /// Whether the agent runs, and runs a job as if nothing had been.
    void expect_good_agent() {
        EXPECT_TRUE(agent.program().is_running()) << agent.log();
        const auto id = server.post_job(job(small_job()));
        ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
        EXPECT_EQ(server.result(id)["test_status"], 0);
        EXPECT_THAT(server.log(id, "test"), HasSubstr("\n99\n100\n"));
        EXPECT_LE(requests_of_agent(), most_requests) << agent.log();
    }

    /// Those that were read, and those that were cut before that.
    std::size_t requests_of_agent() {
        std::size_t count = 0;
        for (const auto& request : server.requests()) {
            if (request["client"] != clients::submitter) ++count;
        }
        for (const auto& fault : server.control("GET", "/faults")) count += fault["hits"].get<std::size_t>();
        return count;
    }
};

struct Case {
    std::string name;
    Json fault;

    friend void PrintTo(const Case& shown, std::ostream* out) { *out << shown.fault; }
};

std::string name_of(const ::testing::TestParamInfo<Case>& instance) {
    return instance.param.name;
}

/// A fault of the connection or of HTTP, at one request of each kind that an agent makes.
class FaultOfTheServer : public FaultsTest, public ::testing::WithParamInterface<Case> {};

TEST_P(FaultOfTheServer, LeavesAnAgentThatRunsTheNextJob) {
    const auto& fault = GetParam().fault;
    add_fault(fault, "GET", "/v1/agents/data/board-1");
    add_fault(fault, "POST", "/v1/agents/data/board-1");
    add_fault(fault, "GET", "/v1/job");
    static_cast<void>(server.post_job(job(small_job())));  // lost with the answer that holds it, if that is lost
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << server.control("GET", "/faults") << agent.log();
    const auto id = server.post_job(job(small_job()));
    add_fault(fault, "POST", "/v1/result/*/log/output");
    add_fault(fault, "POST", "/v1/result/*");
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

/// A fault of a JSON answer, at each that the agent reads, but not at a job.
class HostileAnswer : public FaultsTest, public ::testing::WithParamInterface<Case> {};

TEST_P(HostileAnswer, LeavesAnAgentThatRunsTheNextJob) {
    const auto& fault = GetParam().fault;
    add_fault(fault, "POST", "/v1/oauth2/refresh");
    add_fault(fault, "GET", "/v1/agents/data/board-1");
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << server.control("GET", "/faults") << agent.log();
    auto held = gate();
    agent.on("test", "seq 1 100; " + held.wait_command());
    add_fault(fault, "GET", "/v1/result/*");
    const auto id = server.post_job(job(small_job()));
    ASSERT_TRUE(server.faults_have_hit()) << server.control("GET", "/faults") << agent.log();
    held.open();

    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
    expect_good_agent();
}

INSTANTIATE_TEST_SUITE_P(
    Kind, HostileAnswer,
    ::testing::Values(Case{"Truncate", {{"what", "truncate"}, {"value", 5}}}, Case{"HugeJson", {{"what", "huge-json"}}},
                      Case{"DeepJson", {{"what", "deep-json"}}}, Case{"NulJson", {{"what", "nul-json"}}},
                      Case{"InvalidUtf8", {{"what", "invalid-utf8"}}}, Case{"WrongTypes", {{"what", "wrong-types"}}}),
    name_of);

/// The same of a job: lost for the board, but not for who waits for it.
class HostileJob : public FaultsTest, public ::testing::WithParamInterface<Case> {};

TEST_P(HostileJob, IsReportedAsFailedWithTheReason) {
    add_fault(GetParam().fault, "GET", "/v1/job");
    const auto id = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    EXPECT_THAT(server.log(id, "setup"), HasSubstr("ERROR: the job can't be run: "));
    EXPECT_NE(server.result(id).value("setup_status", 0), 0);
    EXPECT_TRUE(server.agent_is(agent_id, "waiting"));
    expect_good_agent();
}

INSTANTIATE_TEST_SUITE_P(Kind, HostileJob,
                         ::testing::Values(Case{"HugeJson", {{"what", "huge-json"}}},
                                           Case{"DeepJson", {{"what", "deep-json"}}},
                                           Case{"InvalidUtf8", {{"what", "invalid-utf8"}}},
                                           Case{"WrongTypes", {{"what", "wrong-types"}}}),
                         name_of);

TEST_F(FaultsTest, DoNotMindNulsInTheTextsOfAJob) {
    add_fault({{"what", "nul-json"}}, "GET", "/v1/job");
    const auto id = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    EXPECT_EQ(server.result(id)["test_status"], 0);
    EXPECT_TRUE(server.faults_have_hit());
    expect_good_agent();
}

TEST_F(FaultsTest, HaveAJobReportedAsFailedWhoseSecretHoldsANul) {
    server.store_secret("lab/token", "s3cr3t-of-the-lab");
    add_fault({{"what", "nul-json"}}, "GET", "/v1/job");
    const auto id = server.post_job(job({{"test_data", {{"secrets", {{"TOKEN", "lab/token"}}}}}}));
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    EXPECT_THAT(server.log(id, "setup"), HasSubstr("TOKEN holds a NUL byte"));
    EXPECT_TRUE(agent.files_holding("s3cr3t").empty());
    expect_good_agent();
}

}  // namespace
}  // namespace trebuchet::harness
