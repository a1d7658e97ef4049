#pragma once

#include "tests/integration/harness/agent.hpp"
#include "tests/integration/harness/gate.hpp"
#include "tests/integration/harness/lab_server.hpp"
#include "tests/integration/harness/left_files.hpp"
#include "tests/integration/harness/wait.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet::harness {

/// Nothing calls this URL: the labserver only records the events.
inline constexpr const char* webhook = "https://webhook.example/hook";

/// A running server, and an agent that the test starts.
class LabTest : public ::testing::Test {
  protected:
    /// A job for the agent's queue.
    [[nodiscard]] static Json job(const Json& fields) {
        Json whole = {{"job_queue", queue}};
        whole.update(fields);
        return whole;
    }

    [[nodiscard]] Gate gate(const std::string& name = "gate") const { return Gate(folder / name); }

    /// Posts the job, starts the agent if it is not running, and waits for the job to complete. Returns the job's id.
    std::string run_job(const Json& fields) {
        auto id = server.post_job(job(fields));
        if (!agent_runs_) agent.start();
        agent_runs_ = true;
        EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
        return id;
    }

    TemporaryFolder folder;
    TestAuthority authority{folder.path(), "authority"};
    LabServer server{folder / "server", authority};
    Agent agent{server};

  private:
    bool agent_runs_ = false;
};

}  // namespace trebuchet::harness
