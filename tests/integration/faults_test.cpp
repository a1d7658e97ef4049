#include "tests/integration/lab_test.hpp"

#include <string>
#include <vector>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;

/// What the agent asks of the server from its start to the end of a job. A spinning agent makes thousands of requests.
constexpr std::size_t most_requests = 200;

constexpr const char* token = "/v1/oauth2/refresh";
constexpr const char* registration = "/v1/agents/data/board-1";
constexpr const char* poll = "/v1/job";
constexpr const char* result = "/v1/result/*";

class FaultsTest : public LabTest {
  protected:
    FaultsTest() { agent.on("test", "echo first; echo second; echo last"); }

    static Json small_job() { return {{"test_data", {{"test_cmds", "x"}}}}; }

    /// Runs a job as if nothing had been.
    void expect_good_agent() {
        EXPECT_TRUE(agent.program().is_running()) << agent.log();
        const auto id = server.post_job(job(small_job()));
        ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
        EXPECT_EQ(server.result(id)["test_status"], 0);
        EXPECT_THAT(server.log(id, "test"), HasSubstr("first\nsecond\nlast\n"));
        EXPECT_LT(requests_of_agent(), most_requests) << agent.log();
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

/// A fault that hits the first call of several kinds.
struct Everywhere {
    std::string name;
    Json fault;
    std::vector<const char*> targets = {token, registration, poll, result};
};

class EveryFault : public FaultsTest, public ::testing::WithParamInterface<Everywhere> {};

TEST_P(EveryFault, LeavesAnAgentThatRunsTheNextJob) {
    static_cast<void>(server.post_job(job(small_job())));
    for (const auto* target : GetParam().targets) {
        auto fault = GetParam().fault;
        fault["target"] = target;
        server.add_fault(fault);
    }
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << server.control("GET", "/faults") << agent.log();

    expect_good_agent();
}

INSTANTIATE_TEST_SUITE_P(Server, EveryFault,
                         ::testing::Values(Everywhere{"Delay", {{"what", "delay"}, {"value", 300}}},
                                           Everywhere{"Status", {{"what", "status"}, {"value", 503}}},
                                           Everywhere{"Close", {{"what", "close"}}}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace trebuchet::harness
