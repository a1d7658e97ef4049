#include "tests/integration/harness/lab_test.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <regex>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// What the agent shows to the service manager, to monitoring, and to a second agent for the same device.
class Service : public LabTest {
  protected:
    Service() { agent.on("test", "echo tested; exit 3"); }

    static Json small_job() { return {{"test_data", {{"test_cmds", "x"}}}}; }

    /// "http://127.0.0.1:PORT" of the metrics. `life` counts from 1; each SIGHUP begins a new one.
    std::string metrics_origin(std::ptrdiff_t life = 1) {
        std::string origin;
        static_cast<void>(eventually([&] {
            const auto log = agent.program().out() + agent.program().err();
            const std::regex line("metrics at (http://[0-9.]+:[0-9]+)/metrics\n");
            const std::sregex_iterator first(log.begin(), log.end(), line);
            if (std::distance(first, {}) < life) return false;
            origin = (*std::next(first, life - 1))[1];
            return true;
        }));
        return origin;
    }
    static std::string fetch(const std::string& url) {
        return run({"/usr/bin/curl", {"-sS", "--noproxy", "*", "-w", "\n%{http_code}", url}}).out;
    }
};

/// The service manager's side of $NOTIFY_SOCKET.
class NotifySocket {
  public:
    explicit NotifySocket(std::filesystem::path path) : path_(std::move(path)), fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
        if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("bind");
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// Waits for a message that contains `text`, and came after the first that contains `before`.
    bool hears(const std::string& text, const std::string& before = "") {
        return eventually([&] {
            std::array<char, 4096> buffer{};
            ssize_t count = 0;
            while ((count = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) {
                heard_.append(buffer.data(), static_cast<std::size_t>(count)).append("\n");
            }
            const auto from = heard_.find(before);
            return from != std::string::npos && heard_.find(text, from) != std::string::npos;
        });
    }
    [[nodiscard]] const std::string& heard() const { return heard_; }

  private:
    std::filesystem::path path_;
    FileDescriptor fd_;
    std::string heard_;
};

TEST_F(Service, ShowsTheReferencesMetricsAndItsOwn) {
    agent.configure({{"identifier", "SN-1"}, {"trebuchet", {{"metrics_address", "127.0.0.1"}}}});
    agent.add_argument("-p");
    agent.add_argument("0");
    static_cast<void>(run_job(small_job()));
    const auto metrics = fetch(metrics_origin() + "/metrics");
    for (const auto* line :
         {"jobs_total{agent_id=\"board-1\"} 1\n", "failures_total{agent_id=\"board-1\",test_phase=\"test\"} 1\n",
          "phase_duration_seconds_count{agent_id=\"board-1\",identifier=\"SN-1\",release=\"\",test_phase=\"test\"} 1\n",
          "le=\"60\"} 1\n", "le=\"14400\"} 1\n", "recovery_failures_total{agent_id=\"board-1\"} 0\n",
          "trebuchet_masked_bytes_total{agent_id=\"board-1\"} ", "trebuchet_poll_duration_seconds_count",
          "trebuchet_upload_lag_seconds{agent_id=\"board-1\"} 0\n", "\n200"}) {
        EXPECT_THAT(metrics, HasSubstr(line));
    }
}

TEST_F(Service, AsksAProvisionedDeviceForItsReleaseBesideTheJob) {
    const auto ssh =
        agent.folder().write("ssh", "#!/bin/sh\necho \"$@\" > \"$TMPDIR/asked\"\necho VERSION_CODENAME=noble\n");
    ASSERT_EQ(::chmod(ssh.c_str(), 0755), 0);
    agent.set_environment("PATH", agent.folder().path().string() + ":/usr/bin:/bin");
    agent.configure({{"trebuchet", {{"metrics_address", "127.0.0.1"}}}});
    agent.add_argument("-p0");
    agent.configure({{"logging_level", "DEBUG"}});
    auto held = gate();
    agent.on("provision", R"(echo '{"device_info": {"device_ip": "192.0.2.7"}}' > device-info.json)");
    agent.on("test", held.wait_command());
    const auto id = server.post_job(job(
        {{"provision_data", {{"distro", "noble"}}}, {"test_data", {{"test_cmds", "x"}, {"test_username", "tester"}}}}));
    agent.start();
    ASSERT_TRUE(agent.logs_text("the device runs the release \"noble\"")) << agent.log();
    held.open();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(text_of(agent.folder() / "asked"), HasSubstr("-l tester -- 192.0.2.7 cat /etc/os-release"));
    EXPECT_THAT(fetch(metrics_origin() + "/metrics"), HasSubstr("release=\"noble\",test_phase=\"test\"} "));
}

TEST_F(Service, IsHealthyWhileItsServerAnswers) {
    agent.configure({{"trebuchet", {{"metrics_address", "127.0.0.1"}}}});
    agent.add_argument("--metrics_port=0");
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    const auto origin = metrics_origin();
    EXPECT_THAT(fetch(origin + "/healthz"), HasSubstr("ok"));
    EXPECT_THAT(fetch(origin + "/other"), HasSubstr("404"));
    static_cast<void>(server.control("POST", "/faults", {{"what", "status"}, {"value", 500}, {"count", 0}}));
    EXPECT_TRUE(eventually([&] { return fetch(origin + "/healthz").find("503") != std::string::npos; }));
    EXPECT_TRUE(agent.program().is_running());
}

TEST_F(Service, CountsOnWhenItsConfigurationIsReadAgain) {
    agent.configure({{"trebuchet", {{"metrics_address", "127.0.0.1"}}}});
    agent.add_argument("-p0");
    static_cast<void>(run_job(small_job()));
    agent.program().signal(SIGHUP);
    EXPECT_THAT(fetch(metrics_origin(2) + "/metrics"), HasSubstr("jobs_total{agent_id=\"board-1\"} 1\n"));
}

TEST_F(Service, TellsTheServiceManagerHowItIsDoing) {
    NotifySocket manager(folder / "notify");
    agent.set_environment("NOTIFY_SOCKET", manager.path());
    agent.set_environment("WATCHDOG_USEC", "200000");
    auto held = gate();
    agent.on("test", "echo \"socket: ${NOTIFY_SOCKET-unset} $WATCHDOG_USEC\"; " + held.wait_command());
    const auto id = server.post_job(job(small_job()));
    agent.start();
    EXPECT_TRUE(manager.hears("READY=1"));
    EXPECT_TRUE(manager.hears("STATUS=running job " + id)) << manager.heard();
    EXPECT_TRUE(manager.hears("WATCHDOG=1"));
    ASSERT_TRUE(server.shows(id, "test", "socket: unset \n"));
    agent.program().signal(SIGHUP);  // `systemctl reload` must not wait for the job
    EXPECT_TRUE(manager.hears("READY=1", "RELOADING=1")) << manager.heard();
    held.open();
    EXPECT_TRUE(manager.hears("STATUS=waiting"));
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);
    EXPECT_TRUE(manager.hears("STOPPING=1"));
}

TEST_F(Service, IsReadyBeforeItsServerIs) {
    NotifySocket manager(folder / "notify");
    agent.set_environment("NOTIFY_SOCKET", manager.path());
    agent.configure({{"server_address", "https://127.0.0.1:1"}});
    agent.start();
    EXPECT_TRUE(manager.hears("READY=1"));
    EXPECT_TRUE(manager.hears("STATUS=cannot reach the server"));
}

TEST_F(Service, ASecondStartSaysWhoServesTheDeviceAndExitsWithThree) {
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    const auto second = run({TREBUCHET_AGENT,
                             {"-c", agent.folder() / "testflinger-agent.conf"},
                             {{"STATE_DIRECTORY", agent.state()}, {"RUNTIME_DIRECTORY", agent.secrets()}}});
    EXPECT_EQ(second.code, 3);
    EXPECT_THAT(second.err, AllOf(HasSubstr("board-1"), HasSubstr("process " + std::to_string(agent.program().pid()))));
    agent.program().signal(SIGKILL);
    static_cast<void>(agent.program().wait());
    agent.start();
    EXPECT_TRUE(agent.logs_text("registered as board-1"))
        << "the lock must end with the process that holds it: " << agent.log();
}

TEST_F(Service, RefusesALinkInAPublicFolderAsItsOwnFolder) {
    const auto base = folder / "public";
    std::filesystem::create_directory(base);
    ASSERT_EQ(::chmod(base.c_str(), 01777), 0);
    std::filesystem::create_directory_symlink(folder.path(), base / "testflinger");
    agent.configure({{"logging_basedir", base / "testflinger" / "logs"}});
    agent.start();
    const auto ending = agent.program().wait();
    EXPECT_EQ(ending.code, 2);
    EXPECT_THAT(ending.err, HasSubstr((base / "testflinger").string()));
}

TEST_F(Service, MakesItsFoldersBelowAPublicOnePrivate) {
    const auto base = folder / "public";
    std::filesystem::create_directory(base);
    ASSERT_EQ(::chmod(base.c_str(), 01777), 0);
    std::filesystem::create_directory(base / "testflinger");
    ASSERT_EQ(::chmod((base / "testflinger").c_str(), 0755), 0);
    agent.configure({{"logging_basedir", base / "testflinger/logs"}, {"execution_basedir", base / "testflinger/run"}});
    static_cast<void>(run_job(small_job()));
    EXPECT_EQ(std::filesystem::status(base / "testflinger").permissions(), std::filesystem::perms::owner_all);
}

TEST_F(Service, WarnsThatSecretsTravelInClear) {
    agent.configure({{"server_address", "http://192.0.2.1:1"}});
    agent.start();
    EXPECT_TRUE(agent.logs_text("tokens and secrets are sent unencrypted to http://192.0.2.1:1")) << agent.log();
}

TEST_F(Service, DoesNotWarnOnLoopback) {
    agent.configure({{"server_address", "http://127.0.0.1:1"}});
    agent.start();
    ASSERT_TRUE(agent.logs_text("cannot reach the server"));
    EXPECT_THAT(agent.log(), Not(HasSubstr("unencrypted")));
}

TEST(CheckConfig, SaysThatAConfigurationIsFine) {
    const TemporaryFolder folder;
    const auto file = folder.write("agent.conf", "agent_id: a\nserver_address: https://lab\njob_queues: [q]\nodd: 7\n");
    const auto ending = run({TREBUCHET_AGENT, {"check-config", "-c", file}});
    EXPECT_EQ(ending.code, 0);
    EXPECT_THAT(ending.out, HasSubstr("agent.conf is fine"));
    EXPECT_THAT(ending.err, HasSubstr("agent.conf:4:1: unknown key \"odd\""));
}

TEST(CheckConfig, ReportsAllProblemsAtOnce) {
    const TemporaryFolder folder;
    const auto file =
        folder.write("agent.conf", "agent_id: a\nserver_adress: https://lab\njob_queues: q\npolling_interval: x\n");
    const auto ending = run({TREBUCHET_AGENT, {"check-config", "-c", file}});
    EXPECT_EQ(ending.code, 2);
    EXPECT_EQ(ending.out, "");
    EXPECT_THAT(ending.err, AllOf(HasSubstr("is it the misspelt key \"server_adress\" in line 2?"),
                                  HasSubstr("agent.conf:3:13: job_queues: found \"q\", expected a list of strings"),
                                  HasSubstr("agent.conf:4:19: polling_interval: found \"x\"")));
}

}  // namespace
}  // namespace trebuchet::harness
