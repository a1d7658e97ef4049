#include "tests/integration/harness/lab_test.hpp"

#include <sstream>

#include <fcntl.h>

namespace trebuchet::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::array<const char*, 7> all_phases{"setup",    "provision", "firmware_update", "test",
                                                "allocate", "reserve",   "cleanup"};

class Phases : public LabTest {
  protected:
    Phases() {
        for (const auto* phase : all_phases) agent.on(phase, std::string("echo ran ") + phase);
    }

    std::vector<std::string> ran(const std::string& id) {
        std::vector<std::string> phases;
        const auto result = server.result(id);
        for (const auto* phase : all_phases) {
            if (result.contains(std::string(phase) + "_status")) phases.emplace_back(phase);
        }
        return phases;
    }

    /// The process whose id a phase wrote to `file`.
    [[nodiscard]] pid_t process_named_in(const std::string& file) const {
        pid_t pid = 0;
        EXPECT_TRUE(eventually([&] { return bool(std::istringstream(text_of(agent.folder() / file)) >> pid); }));
        return pid;
    }

    [[nodiscard]] std::string path(const std::string& name) const { return (agent.folder() / name).string(); }
};

TEST_F(Phases, RunInTheirOrder) {
    agent.on("allocate", "");
    const auto id = run_job({{"provision_data", {{"distro", "noble"}}},
                             {"firmware_update_data", {{"version", "latest"}}},
                             {"test_data", {{"test_cmds", "x"}}},
                             {"reserve_data", {{"timeout", 60}}}});

    std::vector<std::string> order;
    for (const auto& request : server.requests()) {
        if (request["target"] == "/v1/result/" + id + "/log/output") order.push_back(request["body"]["phase"]);
    }
    order.erase(std::unique(order.begin(), order.end()), order.end());
    EXPECT_THAT(order, ElementsAre("setup", "provision", "firmware_update", "test", "reserve", "cleanup"));
}

TEST_F(Phases, AreSkippedWithoutDataOfTheirOwn) {
    EXPECT_THAT(ran(run_job({{"test_data", {{"test_cmds", "x"}}}})), ElementsAre("setup", "test", "cleanup"));
}

TEST_F(Phases, AreSkippedWhenTheJobSaysSo) {
    EXPECT_THAT(ran(run_job({{"provision_data", {{"skip", true}}}, {"test_data", {{"test_cmds", "x"}}}})),
                ElementsAre("setup", "test", "cleanup"));
}

TEST_F(Phases, AreSkippedWithoutACommand) {
    agent.on("setup", "");
    agent.configure({{"test_command", nullptr}});
    EXPECT_THAT(ran(run_job({{"provision_data", {{"distro", "noble"}}}, {"test_data", {{"test_cmds", "x"}}}})),
                ElementsAre("provision", "cleanup"));
}

TEST_F(Phases, EndWithSetupWhenItFails) {
    agent.on("setup", "exit 5");
    const auto id = run_job({{"test_data", {{"test_cmds", "x"}}}});

    EXPECT_THAT(ran(id), ElementsAre("setup", "cleanup"));
    EXPECT_EQ(server.result(id)["setup_status"], 5);
}

TEST_F(Phases, EndWithProvisionWhenItFails) {
    agent.on("provision", "exit 1");
    const auto id = run_job({{"provision_data", {{"distro", "noble"}}}, {"test_data", {{"test_cmds", "x"}}}});

    EXPECT_THAT(ran(id), ElementsAre("setup", "provision", "cleanup"));
}

TEST_F(Phases, GoOnAfterATestThatFails) {
    agent.on("test", "exit 200");
    const auto id = run_job({{"test_data", {{"test_cmds", "x"}}}, {"reserve_data", {{"timeout", 60}}}});

    EXPECT_THAT(ran(id), ElementsAre("setup", "test", "reserve", "cleanup"));
    EXPECT_EQ(server.result(id)["test_status"], 200);
}

TEST_F(Phases, ThatASignalKillsEndWith256MinusItsNumber) {
    agent.on("test", "kill -KILL $$");
    const auto id = run_job({{"test_data", {{"test_cmds", "x"}}}});

    EXPECT_EQ(server.result(id)["test_status"], 247);
}

TEST_F(Phases, ThatEndWith46TakeTheAgentOffline) {
    agent.on("provision", "exit 46");
    const auto id = run_job({{"provision_data", {{"distro", "noble"}}}});

    ASSERT_TRUE(server.agent_is(agent_id, "offline"));
    EXPECT_EQ(server.agent(agent_id)["comment"],
              "Set to offline by agent. Recovery failed during job '" + id + "' execution.");
    EXPECT_THAT(ran(id), ElementsAre("setup", "provision", "cleanup"));
}

TEST_F(Phases, DoNotRunWhileTheAgentIsOffline) {
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    const auto agent_target = std::string("/v1/agents/data/") + agent_id;
    const Json offline{{"state", "offline"}, {"comment", "new cable"}};
    ASSERT_EQ(server.ask(clients::administrator, "POST", agent_target, offline).status, 200);
    const auto polls = [&] {
        std::size_t count = 0;
        for (const auto& request : server.requests()) {
            if (request["method"] == "GET" && request["agent"] == agent_id && request["target"] == agent_target)
                ++count;
        }
        return count;
    };
    // A poll may be in progress already. The one after it sees the order.
    const auto before = polls();
    ASSERT_TRUE(eventually([&] { return polls() >= before + 2; })) << agent.log();
    const auto id = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    const auto posted = polls();
    ASSERT_TRUE(eventually([&] { return polls() >= posted + 2; })) << agent.log();
    EXPECT_EQ(server.job_state(id), "waiting");
    EXPECT_EQ(server.agent(agent_id)["comment"], "new cable");

    ASSERT_EQ(server.ask(clients::administrator, "POST", agent_target, {{"state", "waiting"}, {"comment", ""}}).status,
              200);
    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
}

TEST_F(Phases, AreCutShortWhenTheJobIsCancelled) {
    agent.on("test", "trap 'echo got TERM; exit 0' TERM; (trap '' TERM; echo $$ > " + path("pid") +
                         "; exec sleep 1000) & echo started; wait");
    agent.configure({{"trebuchet", {{"kill_grace", 0}}}});
    const auto id = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}, {"reserve_data", {{"timeout", 60}}}}));
    agent.start();
    ASSERT_TRUE(server.shows(id, "test", "started")) << agent.log();
    const auto below = living_below(agent.program().pid());
    EXPECT_THAT(below, Not(IsEmpty()));
    server.cancel(id);
    ASSERT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();

    EXPECT_THAT(ran(id), ElementsAre("setup", "test", "cleanup"));
    EXPECT_THAT(server.log(id, "test"), HasSubstr("Job cancellation was requested, exiting."));
    EXPECT_EQ(server.result(id)["test_status"], 247) << "247 whatever the phase does on SIGTERM";
    EXPECT_EQ(server.job_state(id), "cancelled");
    for (const auto pid : below) EXPECT_FALSE(is_alive(pid));
}

TEST_F(Phases, LetProvisionFinishWhenTheJobIsCancelledMeanwhile) {
    auto held = gate();
    agent.on("provision", "echo started; " + held.wait_command() + "; echo finished");
    const auto id =
        server.post_job(job({{"provision_data", {{"distro", "noble"}}}, {"test_data", {{"test_cmds", "x"}}}}));
    agent.start();
    ASSERT_TRUE(server.shows(id, "provision", "started")) << agent.log();
    server.cancel(id);
    held.open();
    ASSERT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();

    EXPECT_THAT(server.log(id, "provision"), HasSubstr("finished"));
    EXPECT_THAT(ran(id), ElementsAre("setup", "provision", "cleanup"));
    EXPECT_EQ(server.job_state(id), "cancelled");
}

TEST_F(Phases, GetTheConfigurationsStringsInTheirEnvironment) {
    agent.configure({{"identifier", "C-1"}, {"my_own_key", "mine"}, {"provision_type", "fake"}});
    agent.on("test", "env");
    const auto log = server.log(run_job({{"test_data", {{"test_cmds", "x"}}}}), "test");

    EXPECT_THAT(log, HasSubstr(std::string("\nagent_id=") + agent_id + "\n"));
    EXPECT_THAT(log, HasSubstr("\nserver_address=" + server.url() + "\n"));
    EXPECT_THAT(log, HasSubstr("\nidentifier=C-1\n"));
    EXPECT_THAT(log, HasSubstr("\nprovision_type=fake\n"));
    EXPECT_THAT(log, HasSubstr("\nmy_own_key=mine\n"));
    EXPECT_THAT(log, Not(HasSubstr("ca_file")));
}

TEST_F(Phases, GetTheAgentsEnvironmentWithoutWhatIsItsOwn) {
    agent.set_environment("LAB_SETTING", "kept");
    for (const auto* name : {"VAULT_TOKEN", "VAULT_ADDR", "BAO_TOKEN", "SECRET_API", "CREDENTIALS_DIRECTORY",
                             "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"}) {
        agent.set_environment(name, "not-for-phases");
    }
    agent.set_environment("NOTIFY_SOCKET", path("not-for-phases"));
    agent.on("test", "env");
    const auto log = server.log(run_job({{"test_data", {{"test_cmds", "x"}}}}), "test");

    EXPECT_THAT(log, HasSubstr("\nLAB_SETTING=kept\n"));
    EXPECT_THAT(log, Not(HasSubstr("not-for-phases")));
    EXPECT_THAT(log, Not(HasSubstr("RUNTIME_DIRECTORY")));
}

TEST_F(Phases, InheritNoOpenFiles) {
    const auto secret_file = agent.folder().write("inherited", "x");
    const FileDescriptor inherited(::open(secret_file.c_str(), O_RDONLY));  // NOLINT(android-cloexec-open): on purpose
    agent.on("test", "ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> /fd \\1 -> /p'");
    const auto log = server.log(run_job({{"test_data", {{"test_cmds", "x"}}}}), "test");

    EXPECT_THAT(log, HasSubstr("fd 0 -> /dev/null\n"));
    EXPECT_THAT(log, HasSubstr("fd 1 -> pipe:"));
    EXPECT_THAT(log, HasSubstr("fd 2 -> pipe:"));
    EXPECT_THAT(log, HasSubstr("fd 3 -> /proc/")) << "the folder that ls lists";
    EXPECT_THAT(log, Not(HasSubstr("fd 4")));
    EXPECT_THAT(log, Not(HasSubstr("inherited")));
}

TEST_F(Phases, RunInTheJobsFolderWhichIsGoneAfterwards) {
    agent.on("test", "pwd; ls; stat -c 'mode %a' .");
    const auto id = run_job({{"test_data", {{"test_cmds", "x"}}}});
    ASSERT_TRUE(server.agent_is(agent_id, "waiting"));

    const auto log = server.log(id, "test");
    EXPECT_THAT(log, HasSubstr((agent.runs() / id).string() + "\n"));
    EXPECT_THAT(log, HasSubstr("\ntestflinger.json\n"));
    EXPECT_THAT(log, HasSubstr("\ntest.log\n"));
    EXPECT_THAT(log, HasSubstr("mode 700\n"));
    EXPECT_THAT(everything_in(agent.runs()), IsEmpty());
}

TEST_F(Phases, LeaveFoldersThatOthersUseAsTheyAre) {
    const auto open_to_all = std::filesystem::perms::all | std::filesystem::perms::sticky_bit;
    for (const auto& shared : {agent.runs(), agent.logs(), agent.results()}) {
        std::filesystem::create_directory(shared);
        std::filesystem::permissions(shared, open_to_all);
    }
    static_cast<void>(run_job({{"test_data", {{"test_cmds", "x"}}}}));

    for (const auto& shared : {agent.runs(), agent.logs(), agent.results()}) {
        EXPECT_EQ(std::filesystem::status(shared).permissions(), open_to_all) << shared;
    }
}

TEST_F(Phases, LeaveNoBackgroundProcessOfTheJobBehind) {
    auto held = gate();
    agent.on("setup", "sleep 1000 & echo $! > " + path("plain") + "; setsid sh -c 'echo $$ > " + path("own-session") +
                          "; exec sleep 1000' >/dev/null 2>&1 &"
                          "(setsid sh -c 'trap \"\" TERM; echo $$ > " +
                          path("stubborn") + "; sleep 1000; sleep 1000' </dev/null >/dev/null 2>&1 &)");
    agent.on("test", "echo started; " + held.wait_command());
    agent.configure({{"trebuchet", {{"kill_grace", 0}}}});
    const auto id = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    agent.start();
    ASSERT_TRUE(server.shows(id, "test", "started")) << agent.log();
    std::vector<pid_t> background;
    for (const auto* name : {"plain", "own-session", "stubborn"}) background.push_back(process_named_in(name));
    for (const auto pid : background) EXPECT_TRUE(is_alive(pid)) << "background processes run until the job ends";
    held.open();
    ASSERT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();

    for (const auto pid : background) EXPECT_FALSE(is_alive(pid));
    EXPECT_THAT(living_below(agent.program().pid()), IsEmpty());
}

TEST_F(Phases, HaveNothingToReadFromTheirInput) {
    agent.on("test", "cat; echo end of input");
    const auto id = run_job({{"test_data", {{"test_cmds", "x"}}}});

    EXPECT_THAT(server.log(id, "test"), HasSubstr("*\nend of input\n"));
}

}  // namespace
}  // namespace trebuchet::harness
