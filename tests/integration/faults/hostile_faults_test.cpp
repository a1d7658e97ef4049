#include "tests/integration/faults/faults_fixture.hpp"

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;

/// A hostile JSON answer to each call whose answer the agent reads, except the poll that gets a job.
class HostileAnswer : public FaultsTest, public ::testing::WithParamInterface<Case> {};

TEST_P(HostileAnswer, LeavesAnAgentThatRunsTheNextJob) {
    const auto& fault = GetParam().fault;
    auto held = gate();  // while the test phase waits, the agent asks for the job's state
    agent.on("test", "seq 1 100; " + held.wait_command());
    add_fault(fault, "POST", "/v1/oauth2/refresh");
    add_fault(fault, "GET", "/v1/agents/data/board-1");
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << server.control("GET", "/faults") << agent.log();
    add_fault(fault, "GET", "/v1/result/*");
    const auto id = server.post_job(job(small_job()));
    ASSERT_TRUE(server.faults_have_hit()) << server.control("GET", "/faults") << agent.log();
    held.open();
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

/// A hostile job: it cannot run, but its submitter gets an answer.
class HostileJob : public FaultsTest, public ::testing::WithParamInterface<Case> {};

TEST_P(HostileJob, IsReportedAsFailedWithTheReason) {
    add_fault(GetParam().fault, "GET", "/v1/job");
    const auto id = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    EXPECT_THAT(server.log(id, "setup"), HasSubstr("ERROR: the job cannot be run: "));
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

TEST_F(FaultsTest, RunAJobWhoseTextsContainNuls) {
    add_fault({{"what", "nul-json"}}, "GET", "/v1/job");
    const auto id = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    EXPECT_EQ(server.result(id)["test_status"], 0);
    EXPECT_TRUE(server.faults_have_hit());
    expect_good_agent();
}

TEST_F(FaultsTest, ReportAJobWhoseSecretContainsANulAsFailed) {
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
