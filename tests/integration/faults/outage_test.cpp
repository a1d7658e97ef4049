#include "tests/integration/harness/lab_test.hpp"
#include "tests/integration/harness/whole_job.hpp"

#include <csignal>
#include <string>

namespace trebuchet::harness {
namespace {

using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* secret = "s3cr3t-of-the-lab";

/// The server is down when a job ends, and the agent is stopped before the server is back.
class Outage : public LabTest {
  protected:
    Outage() {
        agent.configure({{"server_address", kept.url()}, {"trebuchet", {{"stop_grace", 0}, {"kill_grace", 0}}}});
        agent.write_token(kept.tokens(clients::agent)["refresh_token"]);
        kept.store_secret("token", secret);
        agent.on("test", "echo before; " + held_.wait_command() +
                             "; seq 1 20000; echo $TOKEN; echo after; mkdir artifacts; echo x > artifacts/x");
    }

    Gate held_ = gate();
    LabServer kept{folder / "kept", authority, 0, {"--data", folder / "lab.db"}};
};

TEST_F(Outage, LosesAndDoublesNothingOfAJobThatEndsMeanwhile) {
    const auto id = kept.post_job(job({{"test_data", {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "token"}}}}}}));
    agent.start();
    ASSERT_TRUE(kept.shows(id, "test", "before")) << agent.log();
    kept.kill();
    held_.open();
    // The phase ends, and its output waits for the server.
    ASSERT_TRUE(eventually([&] {
        const auto log = agent.log();
        return log.find("cannot send the log") != std::string::npos ||
               log.find("not known whether") != std::string::npos;
    })) << agent.log();
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);
    EXPECT_THAT(everything_in(agent.jobs()), Not(IsEmpty())) << agent.log();
    EXPECT_THAT(agent.files_holding(secret), IsEmpty());

    kept.start();
    EXPECT_EQ(kept.job_state(id), "test");
    agent.start();
    ASSERT_TRUE(kept.reaches(id, "complete")) << agent.log();
    std::string numbers;
    for (int i = 1; i <= 20'000; ++i) numbers += std::to_string(i) + "\n";
    const auto log = kept.log(id, "test");
    const auto start = log.find("before\n");
    ASSERT_NE(start, std::string::npos);
    EXPECT_EQ(log.compare(start, 7 + numbers.size(), "before\n" + numbers), 0) << log.size();
    EXPECT_THAT(log.substr(start + 7 + numbers.size()), Not(::testing::HasSubstr("1\n2\n")));
    EXPECT_THAT(WholeJob::plain(log), EndsWith("<mask>\nafter\n"));
    EXPECT_EQ(kept.result(id)["test_status"], 0);
    EXPECT_EQ(kept.artifacts(id).size(), 1U);
    EXPECT_TRUE(eventually([&] { return everything_in(agent.jobs()).empty(); }));
}

}  // namespace
}  // namespace trebuchet::harness
