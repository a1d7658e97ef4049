#include "tests/integration/harness/lab_test.hpp"

#include <csignal>
#include <filesystem>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;

/// SIGTERM, and again: whatever the agent waits for, it has no longer time for that.
class SecondStop : public LabTest {
  protected:
    void stop_twice() {
        agent.program().signal(SIGTERM);
        ASSERT_TRUE(agent.logs_text("stopping on SIGTERM")) << agent.log();
        agent.program().signal(SIGTERM);
    }
};

TEST_F(SecondStop, EndsTheAgentWhileANameIsLookedUpForEver) {
    agent.configure({{"server_address", "https://server.example"}});
    agent.set_environment("LD_PRELOAD", TREBUCHET_SLOW_LOOKUP);
    const auto begun = folder / "lookup-begun";
    agent.set_environment("TREBUCHET_LOOKUP_BEGUN", begun.string());
    agent.start();
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(begun); })) << agent.log();
    ASSERT_NO_FATAL_FAILURE(stop_twice());
    EXPECT_EQ(agent.program().wait().code, 0);
}

TEST_F(SecondStop, EndsTheAgentWhileItEndsWhatAKilledOneLeft) {
    agent.configure({{"trebuchet", {{"kill_grace", 3600}}}});
    agent.on("test",
             "agent=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$PPID/stat); setsid sh -c \"trap '' TERM; kill -9 "
             "$agent $PPID; "
             "while :; do sleep 1; done\" & sleep 1000");
    agent.on("cleanup", "echo cleaning up");
    const auto id = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    agent.start();
    EXPECT_EQ(agent.program().wait().code, -SIGKILL);
    agent.start();
    ASSERT_TRUE(agent.logs_text("was running when the agent was interrupted")) << agent.log();
    ASSERT_NO_FATAL_FAILURE(stop_twice());
    EXPECT_EQ(agent.program().wait().code, 0);
    EXPECT_THAT(server.log(id, "cleanup"), ::testing::Not(HasSubstr("cleaning up")));

    agent.configure({{"trebuchet", {{"kill_grace", 0}}}});
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "cleanup"), HasSubstr("cleaning up"));
}

}  // namespace
}  // namespace trebuchet::harness
