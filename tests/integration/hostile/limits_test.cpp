#include "tests/integration/harness/board.hpp"
#include "tests/integration/harness/child_program.hpp"
#include "tests/integration/harness/wait.hpp"

#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// In a guest, since a host's controllers may all belong to cgroups of version 1, or to nobody.
TEST(Limits, AreKeptAndTheJobsLogSaysWhoBrokeThem) {
    const TemporaryFolder jobs;
    jobs.write("agent.conf",
               "agent_id: guest\nserver_address: https://lab\njob_queues: [q]\nexecution_basedir: /tmp/run\n"
               "test_command: . ./cmds 2>&1\nsetup_command: >\n"
               "  sed 's/.*\"test_cmds\":\"\\([^\"]*\\)\".*/\\1/' testflinger.json > cmds\n"
               "trebuchet: {kill_grace: 1, limits: {memory: 67108864, pids: 20}}\n");
    jobs.write("1-memory.yaml", "test_data: {test_cmds: 'dd if=/dev/zero of=/dev/null bs=100M count=1; echo goes on'}");
    jobs.write("2-pids.yaml", "test_data: {test_cmds: 'i=0; while [ $i -lt 40 ]; do sleep 100 & i=$((i+1)); done'}");
    jobs.write("3-quiet.yaml", "test_data: {test_cmds: 'cat /proc/self/cgroup; echo quiet'}");
    const char* const path = std::getenv("PATH");
    ChildProgram guest({TREBUCHET_RUN_IN_GUEST,
                        {dut_image(), TREBUCHET_AGENT, jobs.path()},
                        {{"PATH", path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path}}});
    ASSERT_TRUE(eventually([&] { return !guest.is_running(); }, boot_patience)) << guest.out();
    const auto out = guest.out();
    const auto second = out.find("== /jobs/2-pids.yaml");
    const auto third = out.find("== /jobs/3-quiet.yaml");
    ASSERT_NE(third, std::string::npos) << out << guest.err();
    EXPECT_THAT(
        out.substr(0, second),
        AllOf(HasSubstr("the job has used all of its memory, 67108864 bytes (trebuchet.limits.memory): the kernel "
                        "killed 1 of its processes"),
              HasSubstr("goes on")));
    EXPECT_THAT(out.substr(second, third - second),
                HasSubstr("the job has reached its limit of 20 processes (trebuchet.limits.pids)"));
    EXPECT_THAT(out.substr(third),
                AllOf(HasSubstr("quiet"), HasSubstr("== ended with 0"), HasSubstr("0::/agent/trebuchet-")));
}

}  // namespace
}  // namespace trebuchet::harness
