#include "agent/host/agent_host.hpp"

#include "tests/fakes/fake_clock.hpp"

#include <csignal>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A host whose agents are only counted; the test ends them.
class AgentHostTest : public ::testing::Test {
  protected:
    struct FakeAgent final : DirectChild {
        FakeAgent(AgentHostTest& its_test, std::string its_id) : test(its_test), id(std::move(its_id)) {}
        ~FakeAgent() override { test.agents.erase(id); }
        [[nodiscard]] pid_t pid() const override { return 1000; }
        void signal(int number) override { signals.push_back(number); }

        AgentHostTest& test;
        std::string id;
        std::vector<int> signals;
        std::function<void(ChildEnd)> ended;
        AgentFolder folder;
    };

    AgentHostTest() { host.program_is("one"); }

    static AgentFolder folder(const std::string& name, std::size_t fingerprint = 1, const std::string& id = "") {
        return {name,       "/tree/" + name + "/testflinger-agent.conf", id.empty() ? name : id, fingerprint, 0, {},
                seconds(75)};
    }

    void take(const std::vector<AgentFolder>& folders, const std::map<std::string, std::string>& problems = {}) {
        host.take_tree(AgentTree{folders, problems});
        tick();
    }
    /// All that is due now.
    void tick() {
        for (int i = 0; i < 200; ++i) {
            host.tick();
            clock.advance(milliseconds(31));
        }
    }
    void pass(seconds time) {
        clock.advance(time);
        tick();
    }
    void end(const std::string& id, ChildEnd how) { agents.at(id)->ended(how); }
    [[nodiscard]] std::set<std::string> running() const {
        std::set<std::string> ids;
        for (const auto& [id, agent] : agents) ids.insert(id);
        return ids;
    }
    std::string problem_of(const std::string& name) {
        for (const auto& report : host.reports()) {
            if (report.folder == name) return report.problem;
        }
        return "no such folder";
    }

    FakeClock clock;
    std::map<std::string, FakeAgent*> agents;
    std::map<std::string, int> starts;
    AgentHost host{{clock,
                    [this](const AgentFolder& folder, std::function<void(ChildEnd)> ended) {
                        EXPECT_FALSE(agents.contains(folder.agent_id)) << "an agent runs twice";
                        auto agent = std::make_unique<FakeAgent>(*this, folder.agent_id);
                        agent->ended = std::move(ended);
                        agent->folder = folder;
                        agents[folder.agent_id] = agent.get();
                        ++starts[folder.agent_id];
                        return Result<std::unique_ptr<DirectChild>>(std::move(agent));
                    },
                    [] { return 0.999; }, [] {}}};
};

TEST_F(AgentHostTest, RunsAnAgentForEachFolder) {
    take({folder("a"), folder("b")});
    EXPECT_THAT(running(), ElementsAre("a", "b"));
    take({folder("a"), folder("b"), folder("c")});
    EXPECT_THAT(running(), ElementsAre("a", "b", "c"));
    EXPECT_EQ(starts["a"], 1);
    EXPECT_THAT(agents["a"]->signals, IsEmpty());
}

TEST_F(AgentHostTest, AsksAChangedAgentToEndWhenIdleAndStartsItWithTheNewConfiguration) {
    take({folder("a"), folder("b")});
    take({folder("a", 2), folder("b")});
    EXPECT_THAT(agents["a"]->signals, ElementsAre(SIGUSR1));
    EXPECT_THAT(agents["b"]->signals, IsEmpty());
    pass(seconds(40));
    EXPECT_EQ(starts["a"], 1) << "its job still runs";
    end("a", {1, 0});
    tick();
    EXPECT_EQ(agents["a"]->folder.fingerprint, 2U);
    EXPECT_EQ(problem_of("a"), "");
}

TEST_F(AgentHostTest, LetsARemovedAgentFinishItsJobAndForgetsIt) {
    take({folder("a"), folder("b")});
    take({folder("b")});
    EXPECT_THAT(agents["a"]->signals, IsEmpty()) << "it may be a git pull";
    pass(seconds(30));
    EXPECT_THAT(agents["a"]->signals, ElementsAre(SIGUSR1));
    end("a", {1, 0});
    tick();
    EXPECT_THAT(running(), ElementsAre("b"));
    EXPECT_EQ(problem_of("a"), "no such folder");
}

TEST_F(AgentHostTest, KeepsAnAgentWhoseFolderComesBack) {
    take({folder("a"), folder("b")});
    take({folder("b")});
    pass(seconds(10));
    take({folder("a"), folder("b")});
    pass(seconds(60));
    EXPECT_THAT(agents["a"]->signals, IsEmpty());
    EXPECT_EQ(starts["a"], 1);
}

TEST_F(AgentHostTest, StopsNobodyWhenTheTreeVanishesOrIsEmpty) {
    take({folder("a"), folder("b")});
    for (const auto& nothing : {Result<AgentTree>(fail("gone")), Result<AgentTree>(AgentTree{})}) {
        host.take_tree(nothing);
        pass(seconds(600));
        EXPECT_THAT(running(), ElementsAre("a", "b"));
        EXPECT_THAT(agents["a"]->signals, IsEmpty());
        EXPECT_THAT(host.problem(), HasSubstr("the agents that run go on"));
    }
    end("a", {0, SIGSEGV});
    pass(seconds(600));
    EXPECT_THAT(running(), ElementsAre("b")) << "there is no configuration to start it with";
    take({folder("a"), folder("b")});
    EXPECT_THAT(running(), ElementsAre("a", "b"));
    EXPECT_EQ(host.problem(), "");
}

TEST_F(AgentHostTest, WaitsForATreeThatIsNotThereYet) {
    host.take_tree(fail("no folder"));
    EXPECT_EQ(host.problem(), "no folder: waiting for it");
    take({folder("a")});
    EXPECT_THAT(running(), ElementsAre("a"));
    EXPECT_EQ(host.problem(), "");
}

TEST_F(AgentHostTest, KeepsAnAgentWhoseConfigurationIsHalfWritten) {
    take({folder("a"), folder("b")});
    take({folder("b")}, {{"a", "line 1: wrong"}});
    pass(seconds(600));
    EXPECT_THAT(agents["a"]->signals, IsEmpty());
    EXPECT_EQ(problem_of("a"), "line 1: wrong; the agent goes on with its former configuration");
    take({folder("a", 2), folder("b")});
    EXPECT_THAT(agents["a"]->signals, ElementsAre(SIGUSR1));
}

TEST_F(AgentHostTest, ShowsAConfigurationThatCannotBeReadAndStartsNothing) {
    take({folder("b")}, {{"a", "line 1: wrong"}});
    EXPECT_THAT(running(), ElementsAre("b"));
    EXPECT_EQ(problem_of("a"), "is not served: line 1: wrong");
}

TEST_F(AgentHostTest, RefusesTheSecondFolderWithAnAgentId) {
    take({folder("b", 1, "x")});
    take({folder("a", 1, "x"), folder("b", 1, "x")});
    EXPECT_EQ(starts["x"], 1);
    EXPECT_THAT(agents["x"]->signals, IsEmpty()) << "the folder that is served stays so";
    EXPECT_THAT(problem_of("a"), AllOf(HasSubstr("agent_id x"), HasSubstr("folder b"), HasSubstr("remove one")));
}

TEST_F(AgentHostTest, StartsAFolderWithANewAgentIdWhenTheFormerAgentHasEnded) {
    take({folder("a", 1, "x"), folder("b")});
    take({folder("a", 2, "y"), folder("b")});
    EXPECT_THAT(agents["x"]->signals, ElementsAre(SIGUSR1));
    pass(seconds(40));
    EXPECT_THAT(running(), ElementsAre("b", "x")) << "both would use the device";
    end("x", {1, 0});
    tick();
    EXPECT_THAT(running(), ElementsAre("b", "y"));
}

TEST_F(AgentHostTest, FollowsAFolderThatIsRenamed) {
    take({folder("a", 1, "x")});
    take({folder("z", 1, "x")});
    EXPECT_THAT(agents["x"]->signals, ElementsAre(SIGUSR1));
    end("x", {1, 0});
    tick();
    EXPECT_EQ(agents["x"]->folder.folder, "z");
}

TEST_F(AgentHostTest, StartsACrashedAgentAgainLessAndLessOften) {
    take({folder("a")});
    for (int i = 0; i < 100; ++i) {
        if (agents.contains("a")) end("a", {0, SIGSEGV});
        clock.advance(seconds(6));
        host.tick();
    }
    EXPECT_LT(starts["a"], 20);
    EXPECT_GT(starts["a"], 8);
    if (agents.contains("a")) end("a", {0, SIGSEGV});
    EXPECT_THAT(problem_of("a"), HasSubstr("killed by signal 11"));
}

TEST_F(AgentHostTest, AnAgentThatRunsAgainAfterACrashHasNoProblem) {
    take({folder("a")});
    end("a", {0, SIGSEGV});
    EXPECT_THAT(problem_of("a"), HasSubstr("killed by signal 11"));
    pass(seconds(2));
    EXPECT_EQ(starts["a"], 2);
    EXPECT_EQ(problem_of("a"), "");
}

TEST_F(AgentHostTest, WhileItStopsOnlyTheKillIsDue) {
    take({folder("a"), folder("b")});
    end("b", {9, 0});
    host.stop();
    ASSERT_TRUE(host.next_due());
    EXPECT_GT(*host.next_due() - clock.now(), seconds(60));
    end("a", {0, 0});
    EXPECT_FALSE(host.next_due());
}

TEST_F(AgentHostTest, SaysThatTheTreeHasNoAgent) {
    host.take_tree(AgentTree{});
    EXPECT_THAT(host.problem(), HasSubstr("has no testflinger-agent.conf: waiting for it"));
    take({folder("a")});
    EXPECT_EQ(host.problem(), "");
}

TEST_F(AgentHostTest, DoesNotShowAWrongConfigurationAsRunning) {
    take({folder("a")});
    end("a", {2, 0});
    pass(seconds(10));
    EXPECT_EQ(starts["a"], 1) << "supervisord starts it 15 times";
    EXPECT_EQ(host.reports().at(0).pid, 0);
    EXPECT_THAT(problem_of("a"), AllOf(HasSubstr("exit code 2"), HasSubstr("check-config -c /tree/a/")));
    take({folder("a", 2)});
    EXPECT_EQ(starts["a"], 2) << "a changed configuration is tried at once";
}

TEST_F(AgentHostTest, SaysThatAnotherProcessServesTheDevice) {
    take({folder("a")});
    end("a", {3, 0});
    EXPECT_THAT(problem_of("a"), HasSubstr("another process already serves this device"));
    pass(seconds(60));
    EXPECT_EQ(starts["a"], 2);
}

TEST_F(AgentHostTest, RestartsATenthOfTheAgentsAtATimeAfterAnUpgrade) {
    std::vector<AgentFolder> many;
    for (int i = 0; i < 20; ++i) many.push_back(folder("a" + std::to_string(i)));
    take(many);
    pass(seconds(60));
    host.program_is("two");
    host.tick();
    std::vector<std::string> asked;
    for (const auto& [id, agent] : agents) {
        if (!agent->signals.empty()) asked.push_back(id);
    }
    ASSERT_EQ(asked.size(), 2U);
    for (const auto& id : asked) end(id, {1, 0});
    for (int round = 0; round < 400; ++round) {
        clock.advance(seconds(1));
        host.tick();
        std::vector<std::string> idle;
        for (const auto& [id, agent] : agents) {
            if (!agent->signals.empty()) idle.push_back(id);
        }
        EXPECT_LE(idle.size(), 2U);
        for (const auto& id : idle) end(id, {1, 0});
    }
    for (const auto& [id, count] : starts) EXPECT_EQ(count, 2) << id;
}

TEST_F(AgentHostTest, StopsAnUpgradeWhoseProgramCrashes) {
    take({folder("a"), folder("b"), folder("c")});
    pass(seconds(60));
    host.program_is("two");
    host.tick();
    end("a", {1, 0});
    tick();
    end("a", {0, SIGILL});
    pass(seconds(600));
    EXPECT_THAT(agents["b"]->signals, IsEmpty());
    EXPECT_THAT(agents["c"]->signals, IsEmpty());
    host.program_is("three");
    tick();
    EXPECT_THAT(agents["a"]->signals, ElementsAre(SIGUSR1));
}

TEST_F(AgentHostTest, AnUpgradeDoesNotWaitForAgentsWithLongJobs) {
    take({folder("a"), folder("b")});
    pass(seconds(60));
    host.restart_all();
    host.tick();
    EXPECT_THAT(agents["a"]->signals, ElementsAre(SIGUSR1));
    EXPECT_THAT(agents["b"]->signals, IsEmpty());
    pass(seconds(31));
    EXPECT_THAT(agents["b"]->signals, ElementsAre(SIGUSR1));
}

TEST_F(AgentHostTest, StopsAllAndKillsWhatIsLate) {
    take({folder("a"), folder("b")});
    host.stop();
    EXPECT_THAT(agents["a"]->signals, ElementsAre(SIGTERM));
    end("b", {0, 0});
    pass(seconds(70));
    EXPECT_FALSE(host.is_over());
    EXPECT_THAT(agents["a"]->signals, ElementsAre(SIGTERM));
    pass(seconds(16));
    EXPECT_EQ(agents["a"]->signals.back(), SIGKILL);
    end("a", {0, SIGKILL});
    tick();
    EXPECT_TRUE(host.is_over());
    EXPECT_THAT(running(), IsEmpty());
}

TEST_F(AgentHostTest, TheSecondStopIsShort) {
    take({folder("a")});
    host.stop();
    host.stop();
    EXPECT_THAT(agents["a"]->signals, ElementsAre(SIGTERM, SIGTERM));
    clock.advance(seconds(10));
    host.tick();
    EXPECT_THAT(agents["a"]->signals, ElementsAre(SIGTERM, SIGTERM, SIGKILL));
}

TEST_F(AgentHostTest, NamesAMetricsPortThatTwoAgentsHave) {
    auto a = folder("a");
    auto b = folder("b");
    a.metrics_port = b.metrics_port = 9100;
    take({a, b});
    EXPECT_EQ(problem_of("a"), "");
    EXPECT_THAT(problem_of("b"), AllOf(HasSubstr("9100"), HasSubstr("that of a")));
}

TEST_F(AgentHostTest, IsDueWhenThereIsSomethingToDo) {
    take({folder("a")});
    EXPECT_FALSE(host.next_due()) << "an idle host does not wake up";
    end("a", {2, 0});
    ASSERT_TRUE(host.next_due());
    EXPECT_GT(*host.next_due(), clock.now() + seconds(25));
}

}  // namespace
}  // namespace trebuchet
