#include "tests/integration/harness/lab_test.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace trebuchet::harness {
namespace {

constexpr int lines = 150'000;

/// The test phase prints numbers, too many for one log fragment.
class LogFaults : public LabTest, public ::testing::WithParamInterface<Json> {
  protected:
    LogFaults() { agent.on("test", "seq 1 " + std::to_string(lines)); }

    /// The test phase's log as the server accepted it, each fragment once.
    std::string log_taken() {
        std::map<int, std::string> fragments;
        for (const auto& request : server.requests()) {
            const bool is_log = request["target"].get_ref<const std::string&>().ends_with("/log/output");
            if (!is_log || request["status"] != 200 || request["body"]["phase"] != "test") continue;
            fragments[request["body"]["fragment_number"]] = request["body"]["log_data"];
        }
        std::string text;
        for (const auto& [unused, data] : fragments) text += data;
        return text;
    }

    static std::string numbers() {
        std::string text;
        for (int i = 1; i <= lines; ++i) text += std::to_string(i) + "\n";
        return text;
    }
};

TEST_P(LogFaults, LoseNothingAndDoubleNothing) {
    auto fault = GetParam();
    fault.update({{"method", "POST"}, {"target", "/v1/result/*/log/output"}, {"count", 2}});
    server.add_fault(fault);
    const auto id = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << agent.log();
    // Waits for the agent's log, because the server reads the whole log of the job to answer with the job's state.
    ASSERT_TRUE(agent.logs_text("job " + id + " is done")) << agent.log();
    ASSERT_EQ(server.job_state(id), "complete");

    const auto taken = log_taken();
    EXPECT_TRUE(taken.ends_with("*\n" + numbers()))
        << taken.size() << " bytes; the log must end with the banner and the numbers";
    EXPECT_TRUE(server.log(id, "test") == taken)
        << server.log(id, "test").size() << " bytes are shown; no fragment may be shown twice";
    EXPECT_EQ(server.result(id)["test_status"], 0);
}

INSTANTIATE_TEST_SUITE_P(
    Kind, LogFaults,
    ::testing::Values(Json{{"what", "status"}, {"value", 503}}, Json{{"what", "status"}, {"value", 413}},
                      Json{{"what", "close-unread"}}, Json{{"what", "close"}}, Json{{"what", "lose-answer"}},
                      Json{{"what", "delay"}, {"value", 500}}, Json{{"what", "refuse"}, {"value", 300}},
                      Json{{"what", "interim"}}, Json{{"what", "truncate"}}, Json{{"what", "garbage"}},
                      Json{{"what", "expired-token"}}),
    [](const auto& instance) {
        auto name = instance.param["what"].template get<std::string>();
        name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
        return name +
               (instance.param.contains("value") ? std::to_string(instance.param["value"].template get<int>()) : "");
    });

}  // namespace
}  // namespace trebuchet::harness
