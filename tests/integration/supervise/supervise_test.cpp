#include "tests/integration/harness/process_status.hpp"
#include "tests/integration/harness/wait.hpp"
#include "tests/integration/supervise/host.hpp"

#include <array>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace trebuchet::harness {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Supervise : public ::testing::Test {
  protected:
    void start(const std::vector<std::string>& devices) {
        for (const auto& device : devices) host.write(device, device);
        host.start();
        for (const auto& device : devices) ASSERT_TRUE(host.is(device, "waiting")) << host.log();
    }
    [[nodiscard]] static std::string environment_of(pid_t pid) {
        return text_of("/proc/" + std::to_string(pid) + "/environ");
    }

    TemporaryFolder folder;
    TestAuthority authority{folder.path(), "authority"};
    LabServer server{folder / "server", authority};
    Host host{server};
};

TEST_F(Supervise, RunsTheJobsOfEachDeviceAtTheSameTime) {
    start({"d1", "d2"});
    const auto first = host.post("d1");
    const auto second = host.post("d2");
    EXPECT_TRUE(server.reaches(first, "complete")) << host.log();
    EXPECT_TRUE(server.reaches(second, "complete")) << host.log();
    EXPECT_NE(host.pid_of("d1"), host.pid_of("d2"));
    EXPECT_TRUE(fs::exists(host.state() / "d1/jobs"));
    EXPECT_TRUE(fs::exists(host.state() / "d2/jobs"));
    EXPECT_TRUE(fs::exists(host.state() / "d1/logs/testflinger-agent.log"));
}

TEST_F(Supervise, OneCrashTakesNoOthersJob) {
    start({"d1", "d2"});
    const auto job = host.post("d2", "2");
    ASSERT_TRUE(host.is("d2", "test"));
    const auto crashed = host.pid_of("d1");
    ::kill(crashed, SIGKILL);
    EXPECT_TRUE(eventually([&] { return host.pid_of("d1") != crashed; }));
    ASSERT_TRUE(host.is("d1", "waiting")) << host.log();
    EXPECT_TRUE(server.reaches(job, "complete"));
    EXPECT_EQ(server.result(job)["test_status"], 0);
    EXPECT_THAT(host.log(), HasSubstr("agent d1: does not run: it was killed by signal 9"));
}

TEST_F(Supervise, ShowsAWrongConfigurationAndDoesNotStartItAgainAndAgain) {
    host.write("d2", "d2", {{"trebuchet", {{"tls", {{"ca_file", "/nowhere/ca.pem"}}}}}});
    host.write("d3", "d3", {{"polling_interval", "often"}});
    start({"d1"});
    ASSERT_TRUE(host.logs_text("agent d2: does not run: its configuration is wrong")) << host.log();
    EXPECT_EQ(host.row("d2")["health"], "stopped");
    EXPECT_THAT(host.row("d2")["problem"].get<std::string>(), HasSubstr("check-config"));
    EXPECT_THAT(host.row("d3")["problem"].get<std::string>(), HasSubstr("polling_interval"));
    const auto log = host.log();
    EXPECT_EQ(log.find("agent d2: started"), log.rfind("agent d2: started"));
    host.write("d3", "d3");
    EXPECT_TRUE(host.is("d3", "waiting")) << host.log();
}

TEST_F(Supervise, RefusesTheSecondFolderOfADevice) {
    start({"d1"});
    host.write("copy", "d1");
    ASSERT_TRUE(host.logs_text("folder \"copy\": its agent_id d1 is also that of the folder d1")) << host.log();
    EXPECT_THAT(host.row("copy")["problem"].get<std::string>(), HasSubstr("give it another agent_id"));
}

TEST_F(Supervise, RestartsAChangedAgentAfterItsJobAndEndsARemovedOne) {
    start({"d1", "d2", "d3"});
    const auto changed = host.post("d1", "2");
    const auto removed = host.post("d2", "2");
    ASSERT_TRUE(host.is("d1", "test"));
    ASSERT_TRUE(host.is("d2", "test"));
    const auto former = host.pid_of("d1");
    const auto untouched = host.pid_of("d3");
    host.write("d1", "d1", {{"location", "moved"}});
    fs::remove_all(host.tree() / "d2");
    EXPECT_TRUE(server.reaches(changed, "complete"));
    EXPECT_TRUE(server.reaches(removed, "complete"));
    EXPECT_EQ(server.result(changed)["test_status"], 0);
    EXPECT_EQ(server.result(removed)["test_status"], 0);
    EXPECT_TRUE(host.logs_text("agent d2: removed")) << host.log();
    EXPECT_TRUE(eventually([&] { return server.agent("d1").value("location", "") == "moved"; })) << host.log();
    EXPECT_NE(host.pid_of("d1"), former);
    EXPECT_EQ(host.pid_of("d3"), untouched);
}

TEST_F(Supervise, StopsNobodyWhileTheTreeIsAway) {
    start({"d1"});
    const auto former = host.pid_of("d1");
    fs::rename(host.tree(), host.folder() / "away");
    ASSERT_TRUE(host.logs_text("the agents that run go on")) << host.log();
    const auto job = host.post("d1");
    EXPECT_TRUE(server.reaches(job, "complete"));
    fs::rename(host.folder() / "away", host.tree());
    host.program().signal(SIGHUP);
    ASSERT_TRUE(host.logs_text("SIGHUP"));
    EXPECT_TRUE(host.is("d1", "waiting"));
    EXPECT_EQ(host.pid_of("d1"), former);
}

TEST_F(Supervise, RestartsIdleAgentsWhenTheProgramOnDiskWasReplaced) {
    const auto program = host.folder() / "trebuchet-agent";
    fs::copy_file(TREBUCHET_AGENT, program);
    host.use_program(program);
    start({"d1"});
    const auto former = host.pid_of("d1");
    fs::copy_file(TREBUCHET_AGENT, host.folder() / "new");
    fs::rename(host.folder() / "new", program);
    EXPECT_TRUE(eventually([&] {
        const auto now = host.pid_of("d1");
        return now != 0 && now != former;
    })) << host.log();
    EXPECT_TRUE(host.is("d1", "waiting"));
}

TEST_F(Supervise, RestartsIdleAgentsOnSigusr1) {
    start({"d1"});
    const auto former = host.pid_of("d1");
    host.program().signal(SIGUSR1);
    EXPECT_TRUE(eventually([&] { return host.pid_of("d1") != former; }));
    EXPECT_TRUE(host.is("d1", "waiting")) << host.log();
}

TEST_F(Supervise, StopsAllAgentsAndLeavesNoProcess) {
    start({"d1", "d2"});
    const auto job = host.post("d1", "30");
    ASSERT_TRUE(host.is("d1", "test"));
    const auto children = living_below(host.program().pid());
    EXPECT_GE(children.size(), 3U);
    host.program().signal(SIGTERM);
    EXPECT_EQ(host.program().wait().code, 0) << host.log();
    for (const auto pid : children) EXPECT_FALSE(is_alive(pid));
    EXPECT_EQ(server.job_state(job), "complete");
    EXPECT_EQ(server.result(job)["test_status"], 247);
    EXPECT_EQ(host.row("d1")["health"], "stopped");
}

TEST_F(Supervise, AgentsEndWithIt) {
    start({"d1"});
    const auto agent = host.pid_of("d1");
    host.program().signal(SIGKILL);
    static_cast<void>(host.program().wait());
    EXPECT_TRUE(eventually([&] { return !is_alive(agent); }));
    host.start();
    EXPECT_TRUE(host.is("d1", "waiting")) << host.log();
    EXPECT_NE(host.pid_of("d1"), agent);
}

TEST_F(Supervise, IsTheOnlyOneInItsStateFolder) {
    start({"d1"});
    const auto second = run({TREBUCHET_AGENT, {"supervise", host.tree()}, {{"STATE_DIRECTORY", host.state()}}});
    EXPECT_EQ(second.code, 3) << second.err;
    EXPECT_THAT(second.err, HasSubstr(std::to_string(host.program().pid())));
}

TEST_F(Supervise, AServiceWaitsForATreeWhoseParentComesLater) {
    ChildProgram waiting({TREBUCHET_AGENT, {"supervise", folder / "later/tree"}, {{"NOTIFY_SOCKET", folder / "none"}}});
    EXPECT_TRUE(eventually([&] { return (waiting.out() + waiting.err()).find("waiting for it") != std::string::npos; }))
        << waiting.err();
    waiting.signal(SIGTERM);
    EXPECT_EQ(waiting.wait().code, 0) << waiting.err();
}

TEST_F(Supervise, WithoutAStateFolderIsTheOnlyOneOfItsTree) {
    fs::create_directories(folder / "tree");
    ChildProgram first({TREBUCHET_AGENT, {"supervise", folder / "tree"}});
    ASSERT_TRUE(eventually([&] { return (first.out() + first.err()).find("waiting for it") != std::string::npos; }))
        << first.err();
    const auto second = run({TREBUCHET_AGENT, {"supervise", folder / "tree"}});
    EXPECT_EQ(second.code, 3) << second.err;
    EXPECT_THAT(second.err, HasSubstr("stop it first"));
    first.signal(SIGTERM);
    EXPECT_EQ(first.wait().code, 0) << first.err();
}

TEST_F(Supervise, WaitsForAFolderThatIsReplacedAtItsStart) {
    fs::remove_all(host.tree());
    host.start();
    ASSERT_TRUE(host.logs_text("waiting for it")) << host.log();
    host.write("d1", "d1");
    EXPECT_TRUE(host.is("d1", "waiting")) << host.log();
}

TEST_F(Supervise, RefusesAFolderThatIsNotThere) {
    const auto refused = run({TREBUCHET_AGENT, {"supervise", "/nowhere/tree"}});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("/nowhere/tree"), HasSubstr("expected")));
}

/// A socket as systemd's, for what the service tells.
class ServiceSocket {
  public:
    explicit ServiceSocket(const fs::path& path)
        : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_un where{};
        where.sun_family = AF_UNIX;
        path.string().copy(where.sun_path, sizeof where.sun_path - 1);
        if (::bind(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) throw std::runtime_error("bind");
    }
    ~ServiceSocket() { ::close(fd_); }
    ServiceSocket(const ServiceSocket&) = delete;
    ServiceSocket& operator=(const ServiceSocket&) = delete;

    [[nodiscard]] bool hears(std::string_view text) {
        return eventually([&] {
            std::array<char, 4096> buffer{};
            for (ssize_t count = 0; (count = ::recv(fd_, buffer.data(), buffer.size(), 0)) > 0;) {
                heard_.append(buffer.data(), static_cast<std::size_t>(count));
            }
            return heard_.find(text) != std::string::npos;
        });
    }

  private:
    int fd_;
    std::string heard_;
};

TEST_F(Supervise, IsAServiceItselfAndKeepsThatFromItsAgents) {
    ServiceSocket service(host.folder() / "notify");
    host.set_environment("NOTIFY_SOCKET", host.folder() / "notify");
    host.set_environment("WATCHDOG_USEC", "200000");
    host.set_environment("LISTEN_FDS", "1");
    start({"d1"});
    EXPECT_TRUE(service.hears("READY=1"));
    EXPECT_TRUE(service.hears("WATCHDOG=1"));
    EXPECT_TRUE(service.hears("STATUS=1 agents run"));
    const auto environment = environment_of(host.pid_of("d1"));
    EXPECT_THAT(environment,
                AllOf(Not(HasSubstr("NOTIFY_SOCKET")), Not(HasSubstr("WATCHDOG_")), Not(HasSubstr("LISTEN_"))));
    EXPECT_THAT(environment, HasSubstr("STATE_DIRECTORY=" + (host.state() / "d1").string()));
    host.program().signal(SIGTERM);
    EXPECT_TRUE(service.hears("STOPPING=1"));
}

}  // namespace
}  // namespace trebuchet::harness
