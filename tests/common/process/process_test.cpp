#include "common/process/process.hpp"

#include "common/file/safe_file.hpp"
#include "common/process/cgroup.hpp"
#include "common/process/process_tree.hpp"
#include "common/process/supervisor/supervisor.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <array>
#include <csignal>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// One command, run to its end on a loop of its own.
struct RunningCommand {
    explicit RunningCommand(const std::string& command,
                            std::chrono::milliseconds grace = std::chrono::milliseconds(10'000),
                            const std::string& folder = "/tmp", const std::string& cgroup = "") {
        ProcessSpec spec;
        spec.cgroup = cgroup;
        spec.title = "test";
        spec.command = command;
        spec.folder = folder;
        spec.environment.set("PATH", "/usr/bin:/bin");
        spec.environment.set("TOKEN", "s3cret");
        spec.kill_grace = grace;
        process = Process::start(loop, spec,
                                 {[this](std::string_view bytes) {
                                      output += bytes;
                                      if (on_output) on_output();
                                  },
                                  [this](const ProcessEnd& how, std::size_t count) {
                                      end = how;
                                      left = count;
                                  },
                                  [this] { gone = true; }, [this](const std::string& what) { trouble = what; }});
    }

    void until_output(const std::string& text) {
        loop.run_until([&] { return output.find(text) != std::string::npos || end; });
    }
    void until_ended() {
        loop.run_until([&] { return end.has_value(); });
    }
    void until_gone() {
        loop.run_until([&] { return gone; });
    }
    [[nodiscard]] int exit_code() const {
        const auto* exited = end ? std::get_if<Exited>(&*end) : nullptr;
        return exited != nullptr ? exited->code : -1;
    }
    [[nodiscard]] int signal() const {
        const auto* signalled = end ? std::get_if<Signalled>(&*end) : nullptr;
        return signalled != nullptr ? signalled->signal : -1;
    }
    /// The process ID that the command printed as "NAME=PID".
    [[nodiscard]] pid_t pid(const std::string& name) const {
        const auto at = output.find(name + "=");
        return at == std::string::npos ? -1 : std::stoi(output.substr(at + name.size() + 1));
    }

    EventLoop loop;
    std::string output;
    std::function<void()> on_output;
    std::optional<ProcessEnd> end;
    std::size_t left = 0;
    bool gone = false;
    std::string trouble;
    std::unique_ptr<Process> process;
};

std::vector<pid_t> children_of_this_process() {
    std::vector<pid_t> pids;
    visit_children(::getpid(), [&](const HeldProcess& process) {
        if (process.is_alive()) pids.push_back(process.pid());
    });
    return pids;
}

bool exists(pid_t pid) {
    return pid > 0 && ::kill(pid, 0) == 0;
}

TEST(Process, GivesOutputOfBothStreamsInOrderAndTheExitCode) {
    RunningCommand run("echo one; echo two >&2; echo three; exit 7");
    run.until_ended();
    EXPECT_EQ(run.output, "one\ntwo\nthree\n");
    EXPECT_EQ(run.exit_code(), 7);
    run.until_gone();
    EXPECT_TRUE(run.process->is_gone());
}

TEST(Process, SaysWhichSignalEndedTheCommand) {
    RunningCommand run("kill -SEGV $$");
    run.until_ended();
    EXPECT_EQ(run.signal(), SIGSEGV);
}

TEST(Process, HasItsEnvironmentAndNothingElse) {
    ::setenv("TREBUCHET_TEST_LEAK", "leaked", 1);
    RunningCommand run("env");
    run.until_ended();
    EXPECT_THAT(run.output, HasSubstr("TOKEN=s3cret\n"));
    EXPECT_THAT(run.output, Not(HasSubstr("TREBUCHET_TEST_LEAK")));
}

TEST(Process, HasAnEnvironmentThatIsLargerThanAPipe) {
    EventLoop loop;
    ProcessSpec spec;
    spec.title = "test";
    spec.command = "env | wc -c";
    spec.folder = "/";
    spec.environment.set("PATH", "/usr/bin:/bin");
    for (int number = 0; number < 14; ++number)
        spec.environment.set("V" + std::to_string(number), std::string(100'000, 'x'));
    std::string output;
    bool gone = false;
    const auto process =
        Process::start(loop, spec, {[&](std::string_view bytes) { output += bytes; }, nullptr, [&] { gone = true; }});
    loop.run_until([&] { return gone; });
    EXPECT_GT(std::stoi(output), 1'400'000);
}

TEST(Process, RunsAsAnotherUserWhoCanNotTouchTheSupervisor) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
    EventLoop loop;
    ProcessSpec spec;
    spec.title = "test";
    spec.command =
        "id -u; id -g; id -G; kill -0 $PPID 2> /dev/null && echo touched; echo to stderr > /dev/stderr; "
        "grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/self/status; trap '' TERM; sleep 1000";
    spec.folder = "/";
    spec.environment.set("PATH", "/usr/bin:/bin");
    spec.user = ProcessUser{300'001, 300'002, {300'002, 300'003}};
    spec.kill_grace = std::chrono::milliseconds(0);
    std::string output;
    bool gone = false;
    const auto process =
        Process::start(loop, spec, {[&](std::string_view bytes) { output += bytes; }, nullptr, [&] { gone = true; }});
    loop.run_until([&] { return output.find("CapAmb") != std::string::npos || gone; });
    process->stop();
    loop.run_until([&] { return gone; });
    EXPECT_THAT(output, StartsWith("300001\n300002\n300002 300003\nto stderr\nCapInh:\t0000000000000000\n"));
    EXPECT_THAT(output, HasSubstr("CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n"));
    EXPECT_TRUE(process->survivors().empty());
}

TEST(Process, RunsInItsFolder) {
    RunningCommand run("pwd -P", std::chrono::milliseconds(1000), "/usr/share");
    run.until_ended();
    EXPECT_EQ(run.output, "/usr/share\n");
}

TEST(Process, InheritsNoDescriptorButStdio) {
    const int leaked = ::open("/dev/null", O_RDONLY);  // deliberately without O_CLOEXEC
    RunningCommand run("exec ls /proc/self/fd");
    run.until_ended();
    ::close(leaked);
    EXPECT_EQ(run.output, "0\n1\n2\n3\n");  // 3 is ls reading the folder
}

TEST(Process, ReadsStdinAsEmpty) {
    RunningCommand run("cat; echo done");
    run.until_ended();
    EXPECT_EQ(run.output, "done\n");
}

TEST(Process, StartsWithDefaultSignalDispositions) {
    ::signal(SIGPIPE, SIG_IGN);
    RunningCommand run("kill -PIPE $$; echo survived");
    run.until_ended();
    EXPECT_EQ(run.signal(), SIGPIPE);
}

TEST(Process, CouldNotStartInAFolderThatIsMissing) {
    RunningCommand run("true", std::chrono::milliseconds(1000), "/nonexistent");
    run.until_gone();
    ASSERT_TRUE(run.end && std::holds_alternative<CouldNotStart>(*run.end));
    EXPECT_THAT(std::get<CouldNotStart>(*run.end).reason, HasSubstr("/nonexistent"));
}

TEST(Process, DeliversMegabytesWhole) {
    RunningCommand run("head -c 3000000 /dev/zero | tr '\\0' x");
    run.until_ended();
    EXPECT_EQ(run.output.size(), 3'000'000U);
}

TEST(Process, BlocksTheCommandWhileOutputIsPaused) {
    RunningCommand run("head -c 2000000 /dev/zero; echo end");
    run.on_output = [&] { run.process->pause_output(); };
    run.loop.run_until([&] { return !run.output.empty(); });
    EXPECT_LT(run.output.size(), 200'000U);
    EXPECT_FALSE(run.end.has_value());
    run.on_output = nullptr;
    run.process->resume_output();
    run.until_ended();
    EXPECT_EQ(run.output.size(), 2'000'004U);
}

TEST(Process, StopEndsTheWholeTreeDaemonisedAndSetsidDescendantsIncluded) {
    RunningCommand run(
        "setsid sh -c 'sleep 1000 & echo deep=$!; wait' & (setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo "
        "daemon=$!); "
        "until [ $deep ]; do deep=1; done; echo main=$$; wait");
    run.until_output("main=");
    run.until_output("deep=");
    run.until_output("daemon=");
    run.process->stop();
    run.until_gone();
    EXPECT_FALSE(exists(run.pid("main")));
    EXPECT_FALSE(exists(run.pid("deep")));
    EXPECT_FALSE(exists(run.pid("daemon")));
    EXPECT_EQ(run.signal(), SIGTERM);
}

TEST(Process, StopKillsWhatIgnoresTermOnceTheGraceIsOver) {
    RunningCommand run("trap '' TERM; echo ready; while :; do sleep 1; done", std::chrono::milliseconds(50));
    run.until_output("ready");
    run.process->stop();
    run.until_gone();
    EXPECT_EQ(run.signal(), SIGKILL);
}

TEST(Process, StopReachesWhatWasForkedWhileTheTreeWasToldToEnd) {
    RunningCommand run("trap 'sleep 1000 & exit 3' TERM; echo ready; while :; do sleep 0.01; done",
                       std::chrono::hours(1));
    run.until_output("ready");
    run.process->stop();
    run.until_gone();
    EXPECT_EQ(run.exit_code(), 3);
}

TEST(Process, StopLetsTheCommandFinishItsOwnCleaningUpWithinTheGrace) {
    RunningCommand run("trap 'echo cleaned; exit 3' TERM; echo ready; while :; do sleep 0.01; done");
    run.until_output("ready");
    run.process->stop();
    run.until_gone();
    EXPECT_THAT(run.output, HasSubstr("cleaned\n"));
    EXPECT_EQ(run.exit_code(), 3);
}

TEST(Process, EndsThoughADescendantKeepsThePipeOpenAndKnowsThatItIsLeft) {
    RunningCommand run("sleep 1000 & echo child=$!; exit 0");
    run.until_ended();
    EXPECT_EQ(run.exit_code(), 0);
    EXPECT_EQ(run.left, 1U);
    EXPECT_TRUE(exists(run.pid("child")));
    EXPECT_FALSE(run.gone);
    run.process->stop();
    run.until_gone();
    EXPECT_FALSE(exists(run.pid("child")));
}

TEST(Process, DestroyingItKillsTheTree) {
    RunningCommand run("trap '' TERM; sleep 1000 & echo child=$!; echo main=$$; wait");
    run.until_output("main=");
    run.process.reset();
    EXPECT_FALSE(exists(run.pid("main")));
    EXPECT_FALSE(exists(run.pid("child")));
}

/// Of an orphan, which the kernel reaps a moment after it has ended.
bool is_alive(pid_t pid) {
    const auto stat = read_process_stat(pid);
    return stat && stat->is_alive;
}

/// As in the agent, for one test.
class AdoptedOrphans : public testing::Test {
  protected:
    AdoptedOrphans() { adopt_orphans(); }
    ~AdoptedOrphans() override {
        ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
        ::signal(SIGCHLD, SIG_DFL);
    }
    AdoptedOrphans(const AdoptedOrphans&) = delete;
    AdoptedOrphans& operator=(const AdoptedOrphans&) = delete;
};

TEST_F(AdoptedOrphans, AreKilledWhenTheSupervisorWasKilled) {
    RunningCommand run("setsid sleep 1000 & echo child=$!; echo supervisor=$PPID; wait");
    run.until_output("supervisor=");
    run.until_output("child=");
    ::kill(run.pid("supervisor"), SIGKILL);
    run.until_gone();
    EXPECT_FALSE(is_alive(run.pid("child")));
    EXPECT_EQ(run.signal(), SIGKILL);
    EXPECT_THAT(run.trouble, HasSubstr("was killed"));
}

TEST_F(AdoptedOrphans, AreKilledThoughEachLivesForAMomentOnly) {
    TemporaryFolder folder;
    const auto beats = folder / "beats";
    std::ofstream(folder / "chain") << "echo x >> '" << beats.string() << "'\n. /dev/null\nsh '"
                                    << (folder / "chain").string() << "' &\n";
    RunningCommand run("sh '" + (folder / "chain").string() + "' & until [ -s '" + beats.string() +
                       "' ]; do :; done; kill -9 $PPID; sleep 1000");
    run.until_gone();
    const auto length = std::filesystem::file_size(beats);
    EXPECT_TRUE(children_of_this_process().empty());
    EXPECT_EQ(std::filesystem::file_size(beats), length);
}

TEST_F(AdoptedOrphans, AreNotTakenForChildrenThatWereThereBefore) {
    const pid_t before = ::fork();
    if (before == 0) {
        while (true) ::pause();
    }
    // One tick of the clock later, as start times are counted in them.
    const auto ticks = std::chrono::milliseconds(1000 / ::sysconf(_SC_CLK_TCK) + 1);
    EventLoop().wait_for(ticks);
    RunningCommand run("echo supervisor=$PPID; sleep 1000");
    run.until_output("supervisor=");
    ::kill(run.pid("supervisor"), SIGKILL);
    run.until_gone();
    EXPECT_TRUE(exists(before));
    ::kill(before, SIGKILL);
}

TEST(Process, TheSupervisorOutlivesEverySignalButTwo) {
    RunningCommand run("for s in 1 2 3 13 14 15 32 33 34 64; do kill -$s $PPID; done; kill -0 $PPID && exit 5");
    run.until_gone();
    EXPECT_EQ(run.exit_code(), 5);
}

TEST(Process, CouldNotStartInAFolderThatItMayNotEnter) {
    if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: needs root, to run as somebody who may not enter a folder";
    const TemporaryFolder folder;
    ::chmod(folder.path().c_str(), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (::setresuid(300'001, 300'001, 300'001) != 0) ::_exit(2);
        RunningCommand run("true", std::chrono::milliseconds(1000), folder.path().string());
        run.until_gone();
        ::_exit(run.end && std::holds_alternative<CouldNotStart>(*run.end) ? 0 : 1);
    }
    int status = -1;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(Process, GoesOnWithASupervisorThatItsCommandStopped) {
    RunningCommand run("kill -STOP $PPID; echo done; exit 4");
    run.until_gone();
    EXPECT_EQ(run.exit_code(), 4);
    EXPECT_THAT(run.trouble, HasSubstr("was stopped"));
}

TEST(Process, IsKilledThoughItsSupervisorIsStoppedAgainAndAgain) {
    RunningCommand run("echo ready; trap '' TERM; while :; do kill -STOP $PPID; sleep 0.01; done");
    run.until_output("ready");
    run.process->kill();
    run.until_gone();
    EXPECT_EQ(run.signal(), SIGKILL);
    EXPECT_TRUE(run.process->survivors().empty());
}

TEST(Process, TheSupervisorEndsWithItsTreeWhenTheProgramIsGone) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const pid_t program = ::fork();
    if (program == 0) {
        RunningCommand run("echo ready; sleep 1000", std::chrono::milliseconds(10'000), "/tmp",
                           "trebuchet-test-" + std::to_string(::getpid()) + "/phase");
        run.until_output("ready");
        const pid_t pid = run.process->supervisor()->pid;
        ::_exit(::write(ends[1], &pid, sizeof pid) == sizeof pid ? 0 : 1);
    }
    const FileDescriptor from(ends[0]);
    ::close(ends[1]);
    pid_t pid = 0;
    ASSERT_EQ(::read(from.get(), &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
    const FileDescriptor supervisor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    ::waitpid(program, nullptr, 0);
    if (!supervisor) return;  // it has ended already
    pollfd end{supervisor.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&end, 1, 10'000), 1) << "supervisor " << pid << " still runs";
}

TEST(Process, TheSupervisorHasNothingOfTheCommandsEnvironment) {
    if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: only root may look into a supervisor";
    RunningCommand run("wc -c < /proc/$PPID/environ; tr '\\0' ' ' < /proc/$PPID/cmdline; exit 0");
    run.until_ended();
    EXPECT_THAT(run.output, StartsWith("0\n"));
    EXPECT_THAT(run.output, HasSubstr(" test "));
    EXPECT_THAT(run.output, Not(HasSubstr("cmdline")));
}

TEST(Process, RunsInACgroupOfItsOwnThatGoesWithIt) {
    if (!Cgroup::is_available()) GTEST_SKIP() << "cannot create a cgroup here";
    const auto name = "trebuchet-test-" + std::to_string(::getpid());
    RunningCommand run("grep ^0:: /proc/self/cgroup; grep ^0:: /proc/$PPID/cgroup; sleep 1000 & exit 0",
                       std::chrono::milliseconds(10'000), "/tmp", name + "/phase");
    run.until_ended();
    EXPECT_THAT(run.output, HasSubstr(name + "/phase\n0::"));
    EXPECT_TRUE(Cgroup::find(name).at(0).is_populated());
    EXPECT_EQ(run.left, 1U);
    run.process->stop();
    run.until_gone();
    EXPECT_GT(run.process->cpu_time()->count(), 0);
    EXPECT_TRUE(Cgroup::find(name).empty());
    EXPECT_EQ(run.process->cgroup_problem(), "");
}

TEST(Process, RunsAndEndsThoughSomebodyFreezesItsCgroup) {
    if (!Cgroup::is_available()) GTEST_SKIP() << "NOT TESTED: cannot create a cgroup here";
    const auto name = "trebuchet-test-" + std::to_string(::getpid());
    RunningCommand run("echo ready; sleep 1000 & wait; echo goes on", std::chrono::milliseconds(10), "/tmp",
                       name + "/phase");
    run.until_output("ready");
    const auto group = Cgroup::find(name).at(0).path();
    std::ofstream(group / "phase" / "cgroup.freeze") << "1";
    run.loop.run_until([&] { return !run.trouble.empty(); });
    EXPECT_THAT(run.trouble, HasSubstr("was frozen"));
    std::ofstream(group / "cgroup.freeze") << "1";
    run.process->stop();
    run.until_gone();
    EXPECT_TRUE(Cgroup::find(name).empty());
}

TEST(Process, SaysThatItsCgroupDoesNotHaveIt) {
    if (!Cgroup::is_available()) GTEST_SKIP() << "NOT TESTED: cannot create a cgroup here";
    const auto name = "trebuchet-test-" + std::to_string(::getpid());
    auto first = Cgroup::make(name + "/first");
    ASSERT_TRUE(first);
    const auto base = first->path().parent_path();
    for (int number = 0; number < 10; ++number) {
        const auto job = number == 0 ? base.string() : base.string() + "." + std::to_string(number);
        std::filesystem::create_directories(job + "/x");
        std::ofstream(job + "/x/cgroup.type") << "threaded";
    }
    RunningCommand run("grep ^0:: /proc/self/cgroup; sleep 0.1", std::chrono::milliseconds(10), "/tmp",
                       name + "/phase");
    run.until_gone();
    EXPECT_EQ(run.exit_code(), 0);
    EXPECT_THAT(run.output, Not(HasSubstr(name)));
    EXPECT_THAT(run.trouble, HasSubstr("has no cgroup of its own"));
    for (auto& left : Cgroup::find(name)) EXPECT_EQ(left.remove_some(100), Cgroup::Removal::done);
}

TEST_F(AdoptedOrphans, OfAKilledSupervisorAreKilledWithTheirCgroup) {
    if (!Cgroup::is_available()) GTEST_SKIP() << "cannot create a cgroup here";
    const auto name = "trebuchet-test-" + std::to_string(::getpid());
    RunningCommand run("(setsid sh -c 'echo deep=$$; exec sleep 1000' &); sleep 1000", std::chrono::milliseconds(10),
                       "/tmp", name + "/phase");
    run.until_output("deep=");
    ::kill(run.process->supervisor()->pid, SIGKILL);
    run.until_gone();
    EXPECT_FALSE(exists(run.pid("deep")));
    EXPECT_TRUE(Cgroup::find(name).empty());
}

TEST(Process, LeavesNoZombieAndNoDescriptorBehind) {
    const auto count_descriptors = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                             std::filesystem::directory_iterator());
    };
    {
        RunningCommand warm_up("true");
        warm_up.until_gone();
    }
    const auto before = count_descriptors();
    for (int i = 0; i < 20; ++i) {
        RunningCommand run("echo hello");
        run.until_gone();
    }
    EXPECT_EQ(count_descriptors(), before);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace trebuchet

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == trebuchet::supervisor_flag) trebuchet::supervise_phase(argc, argv);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
