#pragma once

#include "tests/integration/harness/lab_test.hpp"

#include <ostream>
#include <string>

namespace trebuchet::harness {

/// A job makes about 40 requests, an idle agent 2 in a second, an agent in a busy loop 1000.
inline constexpr std::size_t most_requests = 400;

class FaultsTest : public LabTest {
  protected:
    FaultsTest() { agent.on("test", "seq 1 100"); }

    static Json small_job() { return {{"test_data", {{"test_cmds", "x"}}}}; }

    void add_fault(Json fault, const char* method, const std::string& target) {
        fault["method"] = method;
        fault["target"] = target;
        server.add_fault(fault);
    }

    /// Expects that the agent is running, and that it runs a job as usual.
    void expect_good_agent() {
        EXPECT_TRUE(agent.program().is_running()) << agent.log();
        const auto id = server.post_job(job(small_job()));
        ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
        EXPECT_EQ(server.result(id)["test_status"], 0);
        EXPECT_THAT(server.log(id, "test"), ::testing::HasSubstr("\n99\n100\n"));
        EXPECT_LE(requests_of_agent(), most_requests) << agent.log();
    }

    /// The requests that the server read, plus those that it cut before reading.
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

inline std::string name_of(const ::testing::TestParamInfo<Case>& instance) {
    return instance.param.name;
}

}  // namespace trebuchet::harness
