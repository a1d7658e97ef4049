#include "tests/integration/harness/lab_test.hpp"

#include <csignal>
#include <string>

#include <sys/resource.h>

namespace trebuchet::harness {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// The agent is killed in the middle of a job, and restarted.
class Crash : public LabTest {
  protected:
    static constexpr const char* secret = "a value that nobody may see";
    static constexpr const char* interrupted =
        "ERROR: the agent was interrupted (crash or power cut) while the test "
        "phase ran: the phase was ended.\n";

    Crash() { server.store_secret("token", secret); }

    std::string post() {
        return server.post_job(job({{"test_data", {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "token"}}}}}}));
    }
    void kill() {
        agent.program().signal(SIGKILL);
        EXPECT_EQ(agent.program().wait().code, -SIGKILL);
    }
    static std::size_t count(const std::string& text, const std::string& part) {
        std::size_t found = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
        return found;
    }
};

TEST_F(Crash, InMidTestLosesAndDoublesNothingAndLeavesNoProcessAndNoSecret) {
    auto held = gate();
    agent.on("test",
             "mkdir artifacts; echo \"$TOKEN\" | tee artifacts/file test-serial.log; echo one; echo two; "
             "(setsid sleep 1000 &) ; " +
                 held.wait_command());
    agent.on("cleanup", "echo cleaning; ls");
    const auto id = post();
    agent.start();
    ASSERT_TRUE(server.shows(id, "test", "two\n")) << agent.log();
    const auto running = living_below(agent.program().pid());
    EXPECT_THAT(running, Not(IsEmpty()));
    kill();
    EXPECT_EQ(server.job_state(id), "test");

    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    for (const auto pid : running) EXPECT_FALSE(is_alive(pid)) << pid;
    const auto log = server.log(id, "test");
    EXPECT_EQ(count(log, "one\n"), 1U) << log;
    EXPECT_EQ(count(log, "two\n"), 1U) << log;
    EXPECT_THAT(log, EndsWith(interrupted));
    EXPECT_THAT(log, Not(HasSubstr("nobody")));
    EXPECT_THAT(server.log(id, "cleanup"), HasSubstr("cleaning\n"));
    EXPECT_EQ(server.result(id)["test_status"], 247);
    EXPECT_EQ(server.result(id)["cleanup_status"], 0);
    EXPECT_THAT(server.log(id, "test", "serial"), Not(IsEmpty()));
    EXPECT_THAT(server.log(id, "test", "serial"), Not(HasSubstr("nobody")));
    EXPECT_EQ(server.artifacts(id).size(), 1U);
    EXPECT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();
    EXPECT_EQ(server.agent(agent_id)["job_id"], "");
    EXPECT_TRUE(eventually([&] { return everything_in(agent.jobs()).empty(); }));
    EXPECT_THAT(everything_in(agent.runs()), IsEmpty());
    EXPECT_THAT(agent.files_holding(secret), IsEmpty());

    const auto next = post();
    held.open();
    EXPECT_TRUE(server.reaches(next, "complete")) << agent.log();
}

TEST_F(Crash, NeitherTheAgentNorWhatItRunsDumpsCore) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_CORE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;  // for all programs started from here on
    ASSERT_EQ(::setrlimit(RLIMIT_CORE, &limit), 0);
    auto held = gate();
    agent.on("provision", "sh -c 'kill -ABRT $$'; ulimit -Hc; true");
    agent.on("test", "echo shown; " + held.wait_command());
    const auto id = server.post_job(job({{"provision_data", {{"distro", "x"}}},
                                         {"test_data", {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "token"}}}}}}));
    agent.start();
    ASSERT_TRUE(server.shows(id, "test", "shown\n")) << agent.log();
    EXPECT_THAT(server.log(id, "provision"), EndsWith("\n0\n"));
    auto running = living_below(agent.program().pid());
    EXPECT_THAT(running, Not(IsEmpty()));
    running.push_back(agent.program().pid());
    for (const auto pid : running) {
        EXPECT_THAT(text_of("/proc/" + std::to_string(pid) + "/limits"),
                    ::testing::ContainsRegex("Max core file size +0 +0 "));
    }
    agent.program().signal(SIGABRT);
    const auto end = agent.program().wait();
    EXPECT_EQ(end.code, -SIGABRT);
    EXPECT_FALSE(end.dumped_core);
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    for (const auto& file : everything_in(agent.folder().path())) {
        EXPECT_FALSE(file.filename().string().starts_with("core")) << file;
    }
}

/// The protocol cannot confirm that a job arrived: the server removes it from the queue when it answers the poll.
TEST_F(Crash, BeforeAJobIsKeptLosesThatJobAndNothingElse) {
    agent.on("test", "echo \"$TOKEN\"");
    agent.fail_at("job arrived");
    const auto id = post();
    agent.start();
    EXPECT_EQ(agent.program().wait().code, -SIGKILL);
    agent.fail_at("");
    agent.start();
    const auto next = post();
    EXPECT_TRUE(server.reaches(next, "complete")) << agent.log();
    EXPECT_EQ(server.result(next)["test_status"], 0);
    EXPECT_EQ(server.job_state(id), "running");
    EXPECT_TRUE(eventually([&] { return everything_in(agent.jobs()).empty(); }));
    EXPECT_THAT(agent.files_holding(secret), IsEmpty());
}

TEST_F(Crash, WhatCannotBeMaskedAnyMoreIsDeletedAndTheLogSaysSo) {
    auto held = gate();
    agent.on("test", "mkdir artifacts; echo \"$TOKEN\" | tee artifacts/file test-serial.log; echo shown; " +
                         held.wait_command());
    const auto id = post();
    agent.start();
    ASSERT_TRUE(server.shows(id, "test", "shown\n")) << agent.log();
    kill();
    std::filesystem::remove_all(agent.secrets());  // as a power cut does

    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "test"), HasSubstr("[deleted, since the secrets that may be in there are not known any "
                                                  "more: artifacts, test-serial.log]\n"));
    EXPECT_EQ(server.log(id, "test", "serial"), "");
    EXPECT_THAT(agent.files_holding(secret), IsEmpty());
}

}  // namespace
}  // namespace trebuchet::harness
