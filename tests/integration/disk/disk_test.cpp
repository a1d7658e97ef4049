#include "tests/integration/disk/disk.hpp"

#include <cerrno>
#include <filesystem>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using Disk = DiskTest;

TEST_F(Disk, ThatIsFullKeepsTheAgentFromTakingJobsUntilItIsNot) {
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    refuse(ENOSPC);
    const auto comment = [&] { return server.agent(agent_id).value("comment", ""); };
    ASSERT_TRUE(eventually([&] { return comment().find("No jobs are taken: ") == 0; })) << agent.log();
    EXPECT_THAT(comment(), HasSubstr("has 0 MiB free, at least 256 MiB are needed"));
    EXPECT_EQ(server.agent(agent_id)["state"], "waiting");
    const auto id = whole.post();
    EXPECT_EQ(server.job_state(id), "waiting");
    relent();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_EQ(server.result(id)["test_status"], 0);
    EXPECT_TRUE(eventually([&] { return comment() == ""; }));
}

TEST_F(Disk, ThatIsReadOnlyKeepsTheAgentFromTakingJobsUntilItIsNot) {
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    refuse(EROFS);
    ASSERT_TRUE(eventually([&] {
        return server.agent(agent_id).value("comment", "").find("Read-only file system") != std::string::npos;
    })) << agent.log();
    const auto id = whole.post();
    relent();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_EQ(server.result(id)["test_status"], 0);
}

TEST_F(Disk, ThatCanNotBeSyncedLosesNoJob) {
    run_job_while(EIO, 1, "sync");
}

TEST_F(Disk, ThatTurnsReadOnlyLosesNoLog) {
    run_job_while(EROFS, 25);
}

TEST_F(Disk, ThatFailsLosesNoLog) {
    run_job_while(EIO, 35);
}

/// Some of the cases of disk_long_test.cpp.
INSTANTIATE_TEST_SUITE_P(SomeChange, DiskFullFrom, ::testing::Values(2, 5, 9, 14, 20, 30, 45, 65, 90));

}  // namespace
}  // namespace trebuchet::harness
