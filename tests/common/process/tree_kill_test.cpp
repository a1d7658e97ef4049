#include "common/process/tree_kill.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <limits>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr auto everything = std::numeric_limits<std::size_t>::max();
constexpr uid_t agent_user = 300'001;
constexpr uid_t other_user = 300'002;

/// Of a child that is there already.
pid_t sleeper() {
    const pid_t pid = ::fork();
    if (pid == 0) {
        while (true) ::pause();
    }
    return pid;
}

/// The exit code of a process that runs `work`.
template <typename Work>
int in_a_process(const Work& work) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(work());
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(TreeKill, CountsAsAliveWhatProcDoesNotShow) {
    if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: only root can mount a /proc that hides processes";
    const int code = in_a_process([] {
        std::array<int, 2> parents_life{};
        if (::pipe2(parents_life.data(), O_CLOEXEC) != 0) return 1;
        const pid_t hidden = ::fork();
        if (hidden == 0) {
            ::close(parents_life[1]);
            if (::setresuid(other_user, other_user, other_user) != 0) ::_exit(1);
            char none = 0;
            static_cast<void>(::read(parents_life[0], &none, 1));  // returns when the parent has ended
            ::_exit(0);
        }
        const bool is_hidden = ::unshare(CLONE_NEWNS) == 0 &&
                               ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                               ::mount("proc", "/proc", "proc", 0, "hidepid=2") == 0 && ::setgroups(0, nullptr) == 0 &&
                               ::setresgid(agent_user, agent_user, agent_user) == 0 &&
                               ::setresuid(agent_user, agent_user, agent_user) == 0;
        TreeKill kill(::getpid());
        auto progress = TreeKill::Progress::working;
        for (int steps = 0; steps < 10 && progress == TreeKill::Progress::working; ++steps) {
            progress = kill.step(everything);
        }
        const auto survivors = kill.survivors();
        if (!is_hidden) return 2;
        if (read_process_stat(hidden)) return 3;
        if (progress != TreeKill::Progress::waiting) return 4;
        if (survivors.size() != 1 || survivors[0].pid != hidden || survivors[0].user) return 5;
        return describe(survivors) == std::to_string(hidden) + " (user unknown)" ? 0 : 6;
    });
    EXPECT_EQ(code, 0);
}

TEST(TreeKill, NamesAllSurvivorsAndDescribesTheFirstOfThem) {
    std::vector<Survivor> survivors;
    for (pid_t pid = 1; pid <= 23; ++pid) survivors.push_back({pid, 1, 0, "sleep"});
    EXPECT_THAT(describe(survivors), HasSubstr("20 (user 0, sleep) and 3 more"));
    EXPECT_EQ(describe({{7, 1, 5, ""}}), "7 (user 5)");
}

TEST(TreeKill, KillsWhatIsNotSpared) {
    const int code = in_a_process([] {
        const pid_t spared = sleeper();
        const pid_t doomed = sleeper();
        TreeKill kill(::getpid(), [=](pid_t child) { return child == spared; });
        while (kill.step(everything) != TreeKill::Progress::empty) std::this_thread::yield();
        const bool lives = look_at_survivor(spared, read_process_stat(spared)->start_time).has_value();
        ::kill(spared, SIGKILL);
        int status = 0;
        ::waitpid(doomed, &status, 0);
        return lives && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 1;
    });
    EXPECT_EQ(code, 0);
}

TEST(TreeKill, IsNotDoneWhenAParentEndedBeforeItsTurn) {
    const int code = in_a_process([] {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        std::array<int, 2> pipe{};
        if (::pipe(pipe.data()) != 0) return 1;
        const pid_t parent = ::fork();
        if (parent == 0) {
            const pid_t orphan = sleeper();
            static_cast<void>(::write(pipe[1], &orphan, sizeof orphan));
            while (true) ::pause();
        }
        pid_t orphan = 0;
        if (::read(pipe[0], &orphan, sizeof orphan) != sizeof orphan) return 2;
        TreeKill kill(::getpid());
        if (kill.step(0) != TreeKill::Progress::working) return 3;  // has listed the parent
        ::kill(parent, SIGKILL);
        ::waitpid(parent, nullptr, 0);
        if (kill.step(everything) == TreeKill::Progress::empty) return 4;
        while (kill.step(everything) != TreeKill::Progress::empty) std::this_thread::yield();
        int status = 0;
        ::waitpid(orphan, &status, 0);
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 5;
    });
    EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace trebuchet
