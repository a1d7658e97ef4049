#include "provision/process/posix_command_runner.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

class PosixCommandRunnerTest : public testing::Test {
  protected:
    static void SetUpTestSuite() { SignalInterrupt::block_signals(); }

    CommandResult shell(const std::string& text, std::optional<std::chrono::milliseconds> timeout = std::nullopt,
                        const Environment* environment = nullptr) {
        return runner_.run({{"/bin/sh", "-c", text}, environment, timeout, true});
    }

    SignalInterrupt interrupt_;
    PosixCommandRunner runner_{interrupt_, 20ms};
};

TEST_F(PosixCommandRunnerTest, ReturnsExitCodeAndBothOutputs) {
    const auto result = shell("echo out; echo err >&2; exit 3");
    EXPECT_EQ(exit_code(result.end), 3);
    EXPECT_EQ(describe(result.end), "exit code 3");
    EXPECT_EQ(result.output, "out\nerr\n");
}

TEST_F(PosixCommandRunnerTest, KeepsTheFirstPartOfALongOutput) {
    const auto result = shell("head -c 200000 /dev/zero");
    EXPECT_EQ(exit_code(result.end), 0);
    EXPECT_EQ(result.output.size(), 64U * 1024);
    Command more{{"head", "-c", "200000", "/dev/zero"}, nullptr, std::nullopt, true};
    more.output_limit = 150'000;
    EXPECT_EQ(runner_.run(more).output.size(), 150'000U);
}

TEST_F(PosixCommandRunnerTest, KeepsStderrApartIfAsked) {
    Command both{{"/bin/sh", "-c", "echo out; echo err >&2"}, nullptr, std::nullopt, true};
    both.errors_apart = true;
    const auto result = runner_.run(both);
    EXPECT_EQ(result.output, "out\n");
    EXPECT_EQ(result.errors, "err\n");
}

TEST_F(PosixCommandRunnerTest, DropsAFloodInsteadOfKeepingItInMemory) {
    // A pipe: a file, in memory or not, would grow.
    EXPECT_EQ(shell("test -p /dev/stdout && test -p /dev/stderr && echo pipes").output, "pipes\n");
    const auto result = shell("head -c 50000000 /dev/zero; echo done >&2");
    EXPECT_EQ(exit_code(result.end), 0);
    EXPECT_EQ(result.output, std::string(64U * 1024, '\0'));
}

TEST_F(PosixCommandRunnerTest, ABackgroundProcessMayGoOnWriting) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const FileDescriptor read_end(ends[0]);
    FileDescriptor inherited(ends[1]);
    const auto end = std::to_string(inherited.get());
    const auto result = shell("echo started; (head -c 3000000 /dev/zero && echo well >&" + end + ") &");
    EXPECT_EQ(result.output.substr(0, 8), "started\n");
    inherited = FileDescriptor();
    std::array<char, 16> said{};
    EXPECT_EQ(::read(read_end.get(), said.data(), said.size()), 5) << "it was neither blocked nor killed";
}

TEST_F(PosixCommandRunnerTest, DistinguishesASignalFromAnExit) {
    const auto result = shell("kill -KILL $$");
    EXPECT_EQ(std::get<CommandKilled>(result.end).signal, SIGKILL);
    EXPECT_EQ(exit_code(result.end), 137);
    EXPECT_EQ(describe(result.end), "killed by signal 9 (Killed)");
}

TEST_F(PosixCommandRunnerTest, DistinguishesAMissingProgramFromOneThatCannotRun) {
    const auto missing = runner_.run({{"no-such-program-here"}, nullptr, std::nullopt, false});
    EXPECT_EQ(std::get<CommandNotStarted>(missing.end).error_number, ENOENT);
    EXPECT_EQ(exit_code(missing.end), 127);
    const auto folder = runner_.run({{"/"}, nullptr, std::nullopt, false});
    EXPECT_EQ(exit_code(folder.end), 126);
}

TEST_F(PosixCommandRunnerTest, GivesTheCommandItsEnvironmentAndNoInput) {
    Environment environment;
    environment.set("ONLY", "this");
    environment.set("EMPTY", "");
    const auto result = shell("echo $ONLY [${EMPTY-unset}] [${HOME-unset}]; cat", std::nullopt, &environment);
    EXPECT_EQ(result.output, "this [] [unset]\n");
}

TEST_F(PosixCommandRunnerTest, GivesTheCommandItsInput) {
    Command cat{{"cat"}, nullptr, std::nullopt, true};
    const std::string text(100'000, 'x');
    cat.input = text;
    EXPECT_EQ(runner_.run(cat).output, text.substr(0, 64U * 1024));
}

TEST_F(PosixCommandRunnerTest, AStopSignalDoesNotStopACommandThatIgnoresIt) {
    Command state{{"/bin/sh", "-c", "echo switched back"}, nullptr, 10s, true};
    state.ignore_stop_signal = true;
    ASSERT_TRUE(std::holds_alternative<CommandInterrupted>(shell("kill -TERM $PPID; sleep 1000").end));
    const auto result = runner_.run(state);
    EXPECT_EQ(exit_code(result.end), 0);
    EXPECT_EQ(result.output, "switched back\n");
}

TEST_F(PosixCommandRunnerTest, FeedsARunningCommand) {
    auto running = runner_.start({{"/bin/sh", "-c", "wc -c; exit 3"}}, Piped::input);
    ASSERT_TRUE(running);
    {
        const auto pipe = (*running)->take_pipe();
        ASSERT_TRUE(write_all(pipe.get(), std::string(2'000'000, 'x')));
    }
    EXPECT_TRUE((*running)->wait_for(10s));
    const auto result = (*running)->stop();
    EXPECT_EQ(exit_code(result.end), 3);
    EXPECT_EQ(result.output, "2000000\n");
}

TEST_F(PosixCommandRunnerTest, ReadsARunningCommandAndCapturesItsStderr) {
    Command copy{{"/bin/sh", "-c", "cat; echo oops >&2"}};
    copy.input = "content";
    auto running = runner_.start(copy, Piped::output);
    ASSERT_TRUE(running);
    const auto pipe = (*running)->take_pipe();
    std::array<char, 64> buffer{};
    EXPECT_EQ(::read(pipe.get(), buffer.data(), buffer.size()), 7);
    EXPECT_EQ(::read(pipe.get(), buffer.data(), buffer.size()), 0);
    EXPECT_EQ((*running)->stop().output, "oops\n");
}

TEST_F(PosixCommandRunnerTest, TheDestructorStopsARunningCommand) {
    auto running = runner_.start({{"sleep", "1000"}}, Piped::input);
    ASSERT_TRUE(running);
    EXPECT_FALSE((*running)->wait_for(1ms));
    EXPECT_TRUE(std::holds_alternative<CommandKilled>((*running)->stop().end));
    EXPECT_FALSE(runner_.start({{"no-such-program-here"}}, Piped::input));
}

TEST_F(PosixCommandRunnerTest, GivesTheCommandItsOwnGroupAndNoBlockedSignals) {
    const auto result = shell("test $(ps -o pgid= -p $$) = $$ && echo own; grep SigBlk /proc/self/status");
    EXPECT_EQ(result.output, "own\nSigBlk:\t0000000000000000\n");
}

TEST_F(PosixCommandRunnerTest, ATimeoutStopsTheWholeGroup) {
    const auto result = shell("trap 'echo term; exit 0' TERM; sleep 1000 & wait", 1ms);
    EXPECT_TRUE(std::holds_alternative<CommandTimedOut>(result.end));
    EXPECT_EQ(exit_code(result.end), 124);
}

TEST_F(PosixCommandRunnerTest, KillsACommandThatIgnoresSigterm) {
    PosixCommandRunner hasty(interrupt_, 1ms);
    const auto result =
        hasty.run({{"/bin/sh", "-c", "trap '' TERM; while :; do sleep 1000; done"}, nullptr, 1ms, true});
    EXPECT_TRUE(std::holds_alternative<CommandTimedOut>(result.end));
}

TEST_F(PosixCommandRunnerTest, AStopSignalStopsTheCommandAndPreventsOthers) {
    const auto result = shell("sleep 1000 & kill -TERM $PPID; wait");
    EXPECT_EQ(std::get<CommandInterrupted>(result.end).signal, SIGTERM);
    EXPECT_EQ(exit_code(result.end), 143);
    EXPECT_EQ(interrupt_.wait_for(1h), SIGTERM);
    EXPECT_TRUE(std::holds_alternative<CommandInterrupted>(shell("true").end));
}

TEST_F(PosixCommandRunnerTest, StopsEveryProcessOfTheGroup) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const FileDescriptor read_end(ends[0]);
    FileDescriptor inherited(ends[1]);
    PosixCommandRunner hasty(interrupt_, 1ms);
    const auto result = hasty.run(
        {{"/bin/sh", "-c", "(trap '' TERM; kill -TERM $PPID; exec sleep 1000) & wait"}, nullptr, std::nullopt, false});
    EXPECT_TRUE(std::holds_alternative<CommandInterrupted>(result.end));
    inherited = FileDescriptor();
    char byte = 0;
    EXPECT_EQ(::read(read_end.get(), &byte, 1), 0) << "ends when the last process that inherited the pipe has ended";
}

TEST_F(PosixCommandRunnerTest, ACommandThatDiesOfAStopSignalBeforeOursArrivesIsInterrupted) {
    PosixCommandRunner patient(interrupt_, 20ms, 60s);
    const auto result =
        patient.run({{"/bin/sh", "-c", "(sleep 0.05; kill -TERM $PPID) & kill -TERM $$"}, nullptr, {}, true});
    EXPECT_EQ(std::get<CommandInterrupted>(result.end).signal, SIGTERM);
}

TEST_F(PosixCommandRunnerTest, WaitsForTheGivenTime) {
    EXPECT_EQ(interrupt_.wait_for(1ms), 0);
}

}  // namespace
}  // namespace trebuchet
