#include "tests/integration/harness/wait.hpp"
#include "tests/integration/supervise/host.hpp"

#include <csignal>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace trebuchet::harness {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// The sample host below a root folder, moved as an administrator would.
class Import : public ::testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "an import needs root";
        fs::copy(TREBUCHET_TESTDATA "/samplehost", root.path(), fs::copy_options::recursive);
        before = everything();
    }
    Ending import(const std::vector<std::string>& options = {}) const {
        std::vector<std::string> arguments{"import", "--root", root.path()};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return run({TREBUCHET_AGENT, arguments});
    }
    /// Path → text, of each file.
    [[nodiscard]] std::map<std::string, std::string> everything() const {
        std::map<std::string, std::string> all;
        for (const auto& entry : fs::recursive_directory_iterator(root.path())) {
            if (entry.is_regular_file()) all[entry.path()] = text_of(entry.path());
        }
        return all;
    }
    /// Whether a mount namespace can be made here.
    [[nodiscard]] static bool can_rehearse() {
        return run({"/usr/bin/unshare", {"--mount", "--net", "/bin/true"}}).code == 0;
    }

    TemporaryFolder root;
    std::map<std::string, std::string> before;
};

TEST_F(Import, WithoutAnOptionChangesNothing) {
    const auto shown = import();
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_THAT(shown.out, AllOf(HasSubstr("TREBUCHET_TREE=/srv/agent-configs/lab-tpe1"), HasSubstr("Left alone:"),
                                 HasSubstr("Nothing is changed.")));
    EXPECT_EQ(everything(), before);
}

TEST_F(Import, RehearsesAJobThroughTheHostsOwnScripts) {
    if (!can_rehearse()) GTEST_SKIP() << "no mount namespaces here";
    const auto first = import({"--rehearse"});
    EXPECT_EQ(first.code, 1) << first.out << first.err;
    EXPECT_THAT(first.out,
                AllOf(HasSubstr("rpi4b-001: cleanup=0 firmware_update=0 provision=0 reserve=0 setup=0 test=0\n"),
                      HasSubstr("called testflinger-device-connector muxpi provision -c "
                                "/srv/agent-configs/lab-tpe1/rpi4b-001/default.yaml testflinger.json\n"),
                      HasSubstr("called docker container rm --force rpi4b-001\n"),
                      HasSubstr("DIFFERS: testflinger-device-connector gets the configuration "
                                "/srv/agent-configs/lab-tpe1/agent-001/default.yaml, which is not there"),
                      Not(HasSubstr("device-connector-error.json, which is not there"))));
    EXPECT_EQ(everything(), before);
    fs::create_directory_symlink("agent001", root / "srv/agent-configs/lab-tpe1/agent-001");  // as `import` says
    const auto second = import({"--rehearse"});
    EXPECT_EQ(second.code, 0) << second.out << second.err;
    EXPECT_THAT(second.out, Not(HasSubstr("DIFFERS")));
}

TEST_F(Import, RehearsalHasNoNetworkNoDevicesAndTheUsersOwnEnvironment) {
    if (!can_rehearse()) GTEST_SKIP() << "no network namespaces here";
    static_cast<void>(root.write("usr/local/bin/tf-setup",
                                 "#!/bin/sh\necho links: $(tail -n +3 /proc/net/dev | cut -d: -f1)\n"
                                 "echo dev: $(ls /dev)\necho home: $HOME $USER ${OUTSIDE-none}\n"
                                 "echo x > /dev/null || exit 8\nexit 7\n"));
    const auto shown = run({TREBUCHET_AGENT, {"import", "--root", root.path(), "--rehearse"}, {{"OUTSIDE", "x"}}});
    EXPECT_EQ(shown.code, 1) << shown.err;
    EXPECT_THAT(
        shown.out,
        AllOf(HasSubstr("setup ends with 7"), HasSubstr("links: lo\n"), HasSubstr("home: /home/ubuntu ubuntu none\n"),
              HasSubstr("dev: fd full null ptmx pts random shm stderr stdin stdout tty urandom zero\n")));
}

TEST_F(Import, RehearsalNamesAPhaseThatFails) {
    if (!can_rehearse()) GTEST_SKIP() << "no mount namespaces here";
    static_cast<void>(root.write("usr/local/bin/tf-setup", "#!/bin/sh\necho no power switch\nexit 7\n"));
    const auto shown = import({"--rehearse"});
    EXPECT_EQ(shown.code, 1);
    EXPECT_THAT(shown.out, AllOf(HasSubstr("DIFFERS: the phase setup ends with 7"), HasSubstr("no power switch")));
}

TEST_F(Import, MovesAHostThatThenRunsAndBackAgain) {
    TemporaryFolder folder;
    const TestAuthority authority(folder.path(), "authority");
    LabServer server(folder / "server", authority);
    Host host(server);
    const auto written = import({"--write"});
    ASSERT_EQ(written.code, 0) << written.err;
    EXPECT_THAT(written.out, HasSubstr("systemctl enable --now trebuchet-supervise"));
    EXPECT_FALSE(fs::exists(root / "etc/supervisor/conf.d/rpi4b-001.conf"));

    // What the unit would run, with the test's server and scripts.
    const auto environment = text_of(root / "etc/trebuchet/supervise.env");
    ASSERT_THAT(environment, HasSubstr("TREBUCHET_TREE=/srv/agent-configs/lab-tpe1\n"));
    for (const auto& entry : fs::directory_iterator(root / "srv/agent-configs/lab-tpe1")) {
        const auto name = entry.path().filename().string();
        host.write(name, name == "agent001" ? "agent-001" : name);
    }
    fs::create_directories(host.state() / "rpi4b-001");
    fs::rename(root / "var/lib/trebuchet-supervise/rpi4b-001/results", host.state() / "rpi4b-001/results");
    for (const auto& entry : fs::recursive_directory_iterator(host.state())) {
        ASSERT_EQ(::chown(entry.path().c_str(), ::geteuid(), ::getegid()), 0);  // the test's agents are not `ubuntu`
    }
    const std::string left = "0a1b2c3d-0000-4000-8000-000000000001";
    host.start();
    for (const auto* id : {"rpi4b-001", "dell-xps-02", "agent-001", "Audino.Lab_7"}) {
        ASSERT_TRUE(host.is(id, "waiting")) << id << host.log();
        const auto job = host.post(id);
        EXPECT_TRUE(server.reaches(job, "complete")) << host.log();
    }
    EXPECT_TRUE(eventually([&] { return !fs::exists(host.state() / "rpi4b-001/results" / left); })) << host.log();
    host.program().signal(SIGTERM);
    EXPECT_EQ(host.program().wait().code, 0);

    const auto undone = import({"--undo"});
    EXPECT_EQ(undone.code, 0) << undone.err;
    EXPECT_THAT(undone.out, HasSubstr("systemctl disable --now trebuchet-supervise"));
    EXPECT_EQ(everything(), before);
    EXPECT_EQ(import({"--undo"}).code, 2);
}

}  // namespace
}  // namespace trebuchet::harness
