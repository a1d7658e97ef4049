#include "tests/integration/harness/lab_test.hpp"

#include <csignal>
#include <filesystem>
#include <regex>
#include <string>

#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet::harness {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uid_t agent_user = 54'321;

/// The agent is root, or a user that has what it needs for this; its jobs are somebody else.
class JobsOfAnotherUser : public LabTest, public testing::WithParamInterface<const char*> {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root, to run phases as another user";
        fs::permissions(folder.path(), fs::perms::others_exec, fs::perm_options::add);
        if (std::string(GetParam()) == "WithCapabilities") {
            agent.confine(
                {.user = agent_user, .capabilities = {CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_KILL, CAP_DAC_OVERRIDE}});
        }
        agent.set_environment("HOLD", agent.folder().path());
        agent.configure({{"trebuchet", {{"phase_user", "nobody"}, {"kill_grace", 1}}}});
        agent.on("cleanup", "echo cleaned by $(id -un)");
        server.store_secret("api/token", "s3cret-value");
    }
    static Json with_secret() { return {{"test_data", {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "api/token"}}}}}}; }
    /// Runs `script` as the test phase and returns its log.
    std::string log_of(const std::string& script) {
        agent.on("test", script);
        id_ = run_job(with_secret());
        return server.log(id_, "test");
    }

    std::string id_;
};

TEST_P(JobsOfAnotherUser, DoWhatAJobDoes) {
    const auto log = log_of(
        "id -un; pwd; echo home $HOME; echo \"as $TOKEN\"; grep -c s3cret testflinger.json; echo x > /dev/stderr; "
        "mkdir artifacts; echo \"$TOKEN\" > artifacts/file; echo boot > test-serial.log; "
        "echo '{\"device_info\": {\"a\": 1}}' > device-info.json; echo fetched-value > \"$TREBUCHET_MASK_FILE\"; echo "
        "fetched-value; cat test.log > /dev/null && echo read; ulimit -c; grep CapEff /proc/self/status");
    EXPECT_THAT(log, AllOf(HasSubstr("nobody\n"), HasSubstr("home /nonexistent\n"), HasSubstr("as **"),
                           HasSubstr("\n1\nx\n"), HasSubstr("read\n"), HasSubstr("CapEff:\t0000000000000000\n")));
    EXPECT_THAT(log, AllOf(Not(HasSubstr("s3cret")), Not(HasSubstr("fetched-value"))));
    EXPECT_EQ(server.result(id_)["test_status"], 0) << log;
    EXPECT_THAT(server.log(id_, "cleanup"), HasSubstr("cleaned by nobody\n"));
    EXPECT_FALSE(server.artifacts(id_).empty());
    EXPECT_EQ(server.result(id_)["device_info"], Json({{"a", 1}}));
    EXPECT_TRUE(fs::is_empty(agent.runs()));
}

TEST_P(JobsOfAnotherUser, ReachNothingOfTheAgents) {
    ::chmod((agent.folder() / "refresh_token").c_str(), 0600);
    const auto log = log_of(
        "secret=${TREBUCHET_MASK_FILE%/*}; agent=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$PPID/stat); "
        "for path in \"$HOLD/refresh_token\" \"$HOLD\"/logs/*.log \"$HOLD/state/lock\" \"$secret\"/*/recovery "
        "/proc/$PPID/environ /proc/$agent/environ; do cat \"$path\" > /dev/null 2>&1 && echo \"reached $path\"; done; "
        "for path in \"$HOLD/state\" \"$HOLD/state/jobs\" \"$HOLD/results\" \"$secret\" \"$PWD/..\"; do touch "
        "\"$path/planted\" 2> /dev/null && echo \"reached $path\"; done; "
        "rm -f \"$TREBUCHET_MASK_FILE\" \"$secret\"/*/testflinger.json 2> /dev/null; mv \"$PWD\" \"$PWD.moved\" 2> "
        "/dev/null && echo reached; kill -0 $PPID 2> /dev/null && echo reached; kill -9 $agent 2> /dev/null && echo "
        "reached; echo end");
    EXPECT_THAT(log, AllOf(HasSubstr("end\n"), Not(HasSubstr("reached"))));
    EXPECT_EQ(server.result(id_)["cleanup_status"], 0);
}

TEST_P(JobsOfAnotherUser, AreEndedWithAllThatTheyStarted) {
    const auto sleep = "sleep 1000." + std::to_string(::getpid());
    const auto log =
        log_of("setsid " + sleep + " > /dev/null 2>&1 & sh -c 'trap \"\" TERM; " + sleep + "; true' & exit 0");
    EXPECT_THAT(processes_with_argument("1000." + std::to_string(::getpid())), ::testing::IsEmpty()) << log;
}

TEST_P(JobsOfAnotherUser, HaveAHomeThatGoesWithTheJob) {
    agent.configure({{"trebuchet", {{"job_home", "fresh"}}}});
    const auto log = log_of("echo \"$HOME $TMPDIR\"; touch \"$HOME/.ssh\" \"$TMPDIR/x\" && ls -A \"$HOME\" tmp");
    EXPECT_TRUE(std::regex_search(log, std::regex("/run/[^/ ]+/home .*/run/[^/ ]+/tmp\n"))) << log;
    EXPECT_THAT(log, HasSubstr(".ssh"));
    EXPECT_TRUE(fs::is_empty(agent.runs()));
}

TEST_P(JobsOfAnotherUser, AreGoneOnWithAfterTheAgentWasKilled) {
    agent.on("test", "echo ready; sleep 1000");
    const auto id = server.post_job(job(with_secret()));
    agent.start();
    ASSERT_TRUE(server.shows(id, "test", "ready")) << agent.log();
    agent.program().signal(SIGKILL);
    static_cast<void>(agent.program().wait());
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "cleanup"), HasSubstr("cleaned by nobody\n"));
    EXPECT_TRUE(fs::is_empty(agent.runs()));
}

INSTANTIATE_TEST_SUITE_P(OfAnAgent, JobsOfAnotherUser, testing::Values("AsRoot", "WithCapabilities"),
                         [](const auto& how) { return std::string(how.param); });

}  // namespace
}  // namespace trebuchet::harness
