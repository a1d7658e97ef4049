#include "common/service/service_manager.hpp"

#include "common/file/safe_file.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

/// Systemd's end: a socket on which it gets the datagrams.
class Manager {
  public:
    explicit Manager(std::string name)
        : name_(std::move(name)), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_un where{};
        where.sun_family = AF_UNIX;
        std::memcpy(where.sun_path, name_.data(), name_.size());
        if (name_.front() == '@') where.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
        if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&where), size) != 0) ADD_FAILURE() << "cannot bind";
    }

    [[nodiscard]] const std::string& name() const { return name_; }

    /// The datagrams received so far.
    [[nodiscard]] std::vector<std::string> received() const {
        std::vector<std::string> all;
        char buffer[8192];
        for (;;) {
            const auto count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
            if (count < 0) return all;
            all.emplace_back(buffer, static_cast<std::size_t>(count));
        }
    }

    /// Fills its socket's buffer.
    void fill() const {
        const FileDescriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_un where{};
        where.sun_family = AF_UNIX;
        std::memcpy(where.sun_path, name_.data(), name_.size());
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
        while (::sendto(fd.get(), "X", 1, 0, reinterpret_cast<const sockaddr*>(&where), size) == 1) {
        }
        ASSERT_EQ(errno, EAGAIN);
    }

  private:
    std::string name_;
    FileDescriptor fd_;
};

class ServiceManagerTest : public testing::Test {
  protected:
    void run_for(milliseconds time) { loop_.wait_for(time); }

    TemporaryFolder folder_;
    Manager manager_{folder_ / "notify"};
    EventLoop loop_;
};

TEST_F(ServiceManagerTest, NotifiesThatTheServiceIsReady) {
    ServiceManager service(loop_, {manager_.name(), {}});
    service.ready();
    EXPECT_THAT(manager_.received(), ElementsAre("READY=1\n"));
}

TEST_F(ServiceManagerTest, FindsASocketInTheAbstractNamespace) {
    const Manager abstract("@trebuchet-service-test-" + std::to_string(::getpid()));
    ServiceManager service(loop_, {abstract.name(), {}});
    service.stopping();
    EXPECT_THAT(abstract.received(), ElementsAre("STOPPING=1\n"));
}

TEST_F(ServiceManagerTest, SendsTheStatusWhenItChanges) {
    ServiceManager service(loop_, {manager_.name(), {}});
    service.status("waiting for a job");
    service.status("waiting for a job");
    service.status("runs a job: test");
    EXPECT_THAT(manager_.received(), ElementsAre("STATUS=waiting for a job\n", "STATUS=runs a job: test\n"));
}

TEST_F(ServiceManagerTest, AStatusCannotCarryOtherAssignments) {
    ServiceManager service(loop_, {manager_.name(), {}});
    service.status("offline\nMAINPID=1\r\x1b[1m\xFF");
    EXPECT_THAT(manager_.received(), ElementsAre("STATUS=offline MAINPID=1  [1m\xEF\xBF\xBD\n"));
    service.status(std::string(255, 'x') + "ï");
    service.status(std::string(100000, '\xFF'));
    EXPECT_THAT(manager_.received(),
                ElementsAre("STATUS=" + std::string(255, 'x') + "\n", testing::SizeIs(7 + 255 + 1)));
}

TEST_F(ServiceManagerTest, NotifiesReloadingWithItsTime) {
    ServiceManager service(loop_, {manager_.name(), {}});
    service.reloading();
    service.ready();
    EXPECT_THAT(manager_.received(), ElementsAre(MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+\n"), "READY=1\n"));
}

TEST_F(ServiceManagerTest, ExtendsTheTimeout) {
    ServiceManager service(loop_, {manager_.name(), {}});
    service.extend_timeout(std::chrono::seconds(90));
    EXPECT_THAT(manager_.received(), ElementsAre("EXTEND_TIMEOUT_USEC=90000000\n"));
}

TEST_F(ServiceManagerTest, SendsKeepAlivesOnceReady) {
    ServiceManager service(loop_, {manager_.name(), milliseconds(4)});
    run_for(milliseconds(10));
    EXPECT_THAT(manager_.received(), IsEmpty());
    service.ready();
    EXPECT_THAT(manager_.received(), ElementsAre("READY=1\n", "WATCHDOG=1\n"));
    std::vector<std::string> fed;
    while (fed.size() < 3) {
        run_for(milliseconds(2));
        for (const auto& text : manager_.received()) fed.push_back(text);
    }
    EXPECT_THAT(fed, Each("WATCHDOG=1\n"));
}

TEST_F(ServiceManagerTest, BeingReadyAgainDoesNotDoubleKeepAlives) {
    ServiceManager service(loop_, {manager_.name(), hours(1)});
    service.ready();
    service.ready();
    EXPECT_THAT(manager_.received(), ElementsAre("READY=1\n", "WATCHDOG=1\n", "READY=1\n"));
}

TEST_F(ServiceManagerTest, SendsNoKeepAlivesWithoutAWatchdog) {
    ServiceManager service(loop_, {manager_.name(), {}});
    service.ready();
    run_for(milliseconds(5));
    EXPECT_THAT(manager_.received(), ElementsAre("READY=1\n"));
}

TEST_F(ServiceManagerTest, TheDestructorStopsKeepAlives) {
    {
        ServiceManager service(loop_, {manager_.name(), milliseconds(2)});
        service.ready();
    }
    EXPECT_THAT(manager_.received(), SizeIs(2));
    run_for(milliseconds(10));
    EXPECT_THAT(manager_.received(), IsEmpty());
}

TEST_F(ServiceManagerTest, WithoutAManagerItDoesNothing) {
    ServiceManager service(loop_, {"", milliseconds(1)});
    service.ready();
    service.status("waiting");
    service.stopping();
    run_for(milliseconds(5));
    EXPECT_THAT(manager_.received(), IsEmpty());
}

TEST_F(ServiceManagerTest, AMissingManagerIsNotAnError) {
    ServiceManager service(loop_, {folder_ / "nobody", milliseconds(2)});
    service.ready();
    run_for(milliseconds(5));
    const Manager late(folder_ / "nobody");
    service.stopping();
    EXPECT_THAT(late.received(), testing::Contains("STOPPING=1\n"));
}

TEST_F(ServiceManagerTest, ResendsInOrderWhenTheSocketWasFull) {
    ServiceManager service(loop_, {manager_.name(), {}});
    manager_.fill();
    service.status("starting");
    service.ready();
    EXPECT_THAT(manager_.received(), Each("X"));
    std::vector<std::string> late;
    while (late.empty()) {
        run_for(milliseconds(10));
        late = manager_.received();
    }
    EXPECT_THAT(late, ElementsAre("STATUS=starting\nREADY=1\n"));
    run_for(milliseconds(120));
    EXPECT_THAT(manager_.received(), IsEmpty());
}

TEST_F(ServiceManagerTest, BoundsUnsentNotifications) {
    ServiceManager service(loop_, {manager_.name(), {}});
    manager_.fill();
    for (int i = 0; i < 10000; ++i) service.stopping();
    EXPECT_THAT(manager_.received(), Each("X"));
    service.ready();
    const auto late = manager_.received();
    ASSERT_THAT(late, SizeIs(1));
    EXPECT_LE(late.front().size(), 4096U);
}

class ServiceSettingsTest : public testing::Test {
  protected:
    void SetUp() override { TearDown(); }
    void TearDown() override {
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    }
    static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }
};

TEST_F(ServiceSettingsTest, WithoutVariablesThereIsNoManager) {
    const auto settings = ServiceSettings::from_environment();
    EXPECT_EQ(settings.socket, "");
    EXPECT_EQ(settings.watchdog, microseconds(0));
}

TEST_F(ServiceSettingsTest, AreReadFromTheEnvironment) {
    set("NOTIFY_SOCKET", "/run/systemd/notify");
    set("WATCHDOG_USEC", "30000000");
    set("WATCHDOG_PID", std::to_string(::getpid()));
    const auto settings = ServiceSettings::from_environment();
    EXPECT_EQ(settings.socket, "/run/systemd/notify");
    EXPECT_EQ(settings.watchdog, std::chrono::seconds(30));
}

TEST_F(ServiceSettingsTest, TheWatchdogMayBeForAnyProcess) {
    set("WATCHDOG_USEC", "5000");
    EXPECT_EQ(ServiceSettings::from_environment().watchdog, milliseconds(5));
}

TEST_F(ServiceSettingsTest, AnotherProcesssWatchdogIsIgnored) {
    set("WATCHDOG_USEC", "5000");
    set("WATCHDOG_PID", std::to_string(::getppid()));
    EXPECT_EQ(ServiceSettings::from_environment().watchdog, microseconds(0));
}

TEST_F(ServiceSettingsTest, InvalidValuesAreIgnored) {
    for (const std::string& name : {std::string("vsock:2:1234"), std::string("relative"), std::string("@"),
                                    std::string("/"), "/" + std::string(200, 'x')}) {
        set("NOTIFY_SOCKET", name);
        EXPECT_EQ(ServiceSettings::from_environment().socket, "") << name;
    }
    ::unsetenv("NOTIFY_SOCKET");
    for (const std::string period : {"0", "-5", "soon", "5s", "99999999999999999999"}) {
        set("WATCHDOG_USEC", period);
        EXPECT_EQ(ServiceSettings::from_environment().watchdog, microseconds(0)) << period;
    }
}

}  // namespace
}  // namespace trebuchet
