#include "tests/integration/harness/lab_test.hpp"

#include <csignal>
#include <regex>
#include <string>
#include <vector>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;

/// `trebuchet-agent status` beside a running agent.
class Status : public LabTest {
  protected:
    void SetUp() override {
        agent.configure({{"trebuchet", {{"status_dir", (folder / "status").string()}}}});
        agent.on("test", "echo begun; " + gate_.wait_command());
        agent.start();
        ASSERT_TRUE(agent.is_ready()) << agent.log();
    }
    Ending status(const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{"status", "--dir", folder / "status", "--root", folder.path()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run({TREBUCHET_AGENT, arguments});
    }
    Json row() { return Json::parse(status({"--json"}).out).at(0); }
    [[nodiscard]] bool is(const std::string& state) {
        return eventually([&] { return row()["state"] == state; });
    }

    Gate gate_ = gate();
};

TEST_F(Status, FollowsAJob) {
    ASSERT_TRUE(is("waiting"));
    const auto id = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    ASSERT_TRUE(is("test"));
    const auto shown = row();
    EXPECT_EQ(shown["job"], id);
    EXPECT_EQ(shown["phase"], "test");
    EXPECT_EQ(shown["health"], "running");
    EXPECT_EQ(shown["queues"], Json({queue}));
    EXPECT_EQ(shown["pid"], agent.program().pid());
    const auto table = status({agent_id});
    EXPECT_EQ(table.code, 0) << table.err;
    EXPECT_THAT(table.out, HasSubstr(id));
    gate_.open();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    ASSERT_TRUE(is("waiting"));
    EXPECT_EQ(row()["job"], "");
}

TEST_F(Status, IsAPageForABrowserOnThisHost) {
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);
    agent.add_argument("-p");
    agent.add_argument("0");
    agent.start();
    std::string url;
    ASSERT_TRUE(eventually([&] {
        const auto log = agent.log();
        std::smatch found;
        if (!std::regex_search(log, found, std::regex("metrics at http://0.0.0.0(:[0-9]+/)metrics\n"))) return false;
        url = "http://127.0.0.1" + found[1].str();
        return true;
    }));
    const auto page = run({"/usr/bin/curl", {"--silent", "--show-error", "--fail", "--noproxy", "*", url}});
    EXPECT_EQ(page.code, 0) << page.err;
    EXPECT_THAT(page.out, HasSubstr("<h1>board-1</h1>"));
    const auto rebound =
        run({"/usr/bin/curl", {"--silent", "--fail", "--noproxy", "*", "--header", "Host: lab.example.com", url}});
    EXPECT_EQ(rebound.code, 22);
}

TEST_F(Status, TellsACrashFromAStop) {
    ASSERT_TRUE(is("waiting"));
    agent.program().signal(SIGKILL);
    agent.program().wait();
    const auto dead = status();
    EXPECT_EQ(dead.code, 1);
    EXPECT_THAT(dead.out, HasSubstr("DEAD, was waiting"));
    agent.start();
    ASSERT_TRUE(eventually([&] { return row()["health"] == "running" && row()["state"] == "waiting"; }));
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);
    EXPECT_EQ(row()["health"], "stopped");
}

TEST_F(Status, ShowsTheLastProblemMasked) {
    ASSERT_TRUE(is("waiting"));
    server.kill();
    EXPECT_TRUE(eventually([&] { return row()["last_error"].get<std::string>().find("cannot") != std::string::npos; }));
    server.start();
}

}  // namespace
}  // namespace trebuchet::harness
