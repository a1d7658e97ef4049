#include "common/process/direct_child.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <csignal>
#include <optional>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using ::testing::HasSubstr;

class DirectChildTest : public ::testing::Test {
  protected:
    DirectChildTest() { keep_exit_codes(); }

    Result<std::unique_ptr<DirectChild>> shell(const std::string& script) {
        Environment environment;
        environment.set("NAME", "value");
        return DirectChild::start(loop, {"/bin/sh", {"-c", script}, std::move(environment)},
                                  [this](ChildEnd how) { end = how; });
    }
    [[nodiscard]] bool ends() {
        return loop.wait_for(std::chrono::seconds(60), [&] { return end.has_value(); });
    }

    EventLoop loop;
    TemporaryFolder folder;
    std::optional<ChildEnd> end;
};

TEST_F(DirectChildTest, TellsItsExitCode) {
    const auto child = shell("exit 7");
    ASSERT_TRUE(child) << child.error().message();
    ASSERT_TRUE(ends());
    EXPECT_EQ(end->code, 7);
    EXPECT_EQ(end->signal, 0);
}

TEST_F(DirectChildTest, TellsTheSignalThatKilledIt) {
    const auto child = shell("kill -KILL $$");
    ASSERT_TRUE(ends());
    EXPECT_EQ(end->signal, SIGKILL);
    EXPECT_EQ(end->code, 0);
}

TEST_F(DirectChildTest, ReachesItWithASignalAndNobodyAfterItsEnd) {
    const auto child = shell("trap 'exit 5' USR1; while :; do sleep 0.01; done");
    ASSERT_TRUE(loop.wait_for(std::chrono::seconds(60), [&] {
        (*child)->signal(SIGCONT);
        std::string text;
        return ::kill((*child)->pid(), 0) == 0;
    }));
    while (!end) {  // until the trap is set, SIGUSR1 kills the shell
        (*child)->signal(SIGUSR1);
        loop.wait_for(std::chrono::milliseconds(10), [&] { return end.has_value(); });
    }
    EXPECT_TRUE(end->code == 5 || end->signal == SIGUSR1);
    (*child)->signal(SIGKILL);
}

TEST_F(DirectChildTest, InheritsNoDescriptorAndNoVariable) {
    const auto leak = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
    const auto child = shell("ls /proc/self/fd > " + (folder / "fds").string() + "; env > " +
                             (folder / "env").string() + "; ps -o sid= -p $$ > " + (folder / "session").string());
    ASSERT_TRUE(ends());
    ::close(leak);
    EXPECT_THAT(text_of(folder / "env"), HasSubstr("NAME=value"));
    EXPECT_THAT(text_of(folder / "env"), ::testing::Not(HasSubstr("HOME=")));
    EXPECT_EQ(text_of(folder / "fds"), "0\n1\n2\n3\n") << "3 is of `ls` itself";
    EXPECT_EQ(std::stol(text_of(folder / "session")), (*child)->pid());
}

TEST_F(DirectChildTest, SaysWhatCannotBeRun) {
    const auto child = DirectChild::start(loop, {"/nowhere/program", {}, {}}, nullptr);
    ASSERT_FALSE(child);
    EXPECT_THAT(child.error().message(), HasSubstr("cannot run /nowhere/program: No such file"));
}

}  // namespace
}  // namespace trebuchet
