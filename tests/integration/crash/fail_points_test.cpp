#include "agent/job/job_step.hpp"
#include "tests/integration/harness/lab_test.hpp"
#include "tests/integration/harness/whole_job.hpp"

#include <csignal>
#include <set>
#include <sstream>
#include <string>

namespace trebuchet::harness {
namespace {

class FailPoints : public LabTest {
  protected:
    WholeJob whole{server, agent};
};

TEST_F(FailPoints, StandAtEveryStepOfAJob) {
    agent.fail_at("");
    agent.set_environment("TREBUCHET_FAIL_POINT_TRACE", folder / "trace");
    const auto id = whole.post();
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    ASSERT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);

    std::set<std::string> passed;
    std::istringstream trace(text_of(folder / "trace"));
    for (std::string name; std::getline(trace, name);) passed.insert(name);
    EXPECT_EQ(passed, std::set<std::string>(job_steps.begin(), job_steps.end()));
    EXPECT_GE(job_steps.size(), 40U);
}

TEST_F(FailPoints, KillTheAgentWhereTheyStand) {
    agent.fail_at("starting the command:3");
    const auto id = whole.post();
    agent.start();
    EXPECT_EQ(agent.program().wait().code, -SIGKILL);
    EXPECT_EQ(server.job_state(id), "test");
    EXPECT_THAT(server.log(id, "provision"), ::testing::HasSubstr("provision 40"));
    EXPECT_THAT(server.log(id, "test"), ::testing::Not(::testing::HasSubstr("test 1")));
}

}  // namespace
}  // namespace trebuchet::harness
