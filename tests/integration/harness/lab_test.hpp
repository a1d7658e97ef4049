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

/// Nobody calls it: the labserver only records what it should be told.
inline constexpr const char* webhook = "https://webhook.example/hook";

/// A server that runs, and an agent that is yet to be started.
class LabTest : public ::testing::Test {
  protected:
    /// A job for the agent's queue.
    [[nodiscard]] static Json job(const Json& fields) {
        Json whole = {{"job_queue", queue}};
        whole.update(fields);
        return whole;
    }

    [[nodiscard]] Gate gate(const std::string& name = "gate") const { return Gate(folder / name); }

    /// Starts the agent, posts the job and waits for its end; returns its id.
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
