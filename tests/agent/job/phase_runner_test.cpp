#include "agent/job/phase_runner.hpp"

#include "common/file/safe_file.hpp"
#include "tests/fakes/fake_reporter.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <csignal>
#include <optional>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view banner =
    "***********************\n"
    "* Starting test phase *\n"
    "***********************\n";

bool exists(pid_t pid) {
    return pid > 0 && ::kill(pid, 0) == 0;
}

class PhaseRunnerTest : public testing::Test {
  protected:
    PhaseRunnerTest() {
        std::vector<NamedSecret> secrets;
        secrets.push_back({"TOKEN", SecretString("s3cret-value")});
        masks_ = *MaskSet::build(std::move(secrets), {3, MaskHash::sha256});
        mask_ = masks_->mask("s3cret-value").bytes();
        job_masks_.emplace(masks_, AddedMaskLimits{}, [this](std::string_view value) { on_added_(value); });
        runner_.emplace(PhaseRunner::Parts{loop_, reporter_, listeners_, reporter_, *job_masks_, mask_report_});
        EXPECT_EQ(::mkfifo((folder_ / "gate").c_str(), 0600), 0);
        gate_ = FileDescriptor(::open((folder_ / "gate").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    }

    PhaseSpec spec(const std::string& command) const {
        PhaseSpec spec;
        spec.phase = Phase::test;
        spec.banner = "Starting test phase";
        spec.process.title = "test";
        spec.process.command = command;
        spec.process.folder = folder_.path();
        spec.process.environment.set("PATH", "/usr/bin:/bin");
        spec.process.kill_grace = seconds(60);
        return spec;
    }
    PhaseEnd run(PhaseSpec what) {
        auto log = create_new_file(folder_ / ("log" + std::to_string(++runs_)));
        return runner_->run(std::move(what), log->get());
    }
    PhaseEnd run(const std::string& command) { return run(spec(command)); }
    /// What the reporter got, without the banner.
    [[nodiscard]] std::string output() const {
        const auto found = reporter_.outputs.find(Phase::test);
        if (found == reporter_.outputs.end()) return "";
        const auto& text = found->second;
        return text.starts_with(banner) ? text.substr(banner.size()) : "no banner: " + text;
    }
    [[nodiscard]] std::string log() const { return text_of(folder_ / ("log" + std::to_string(runs_))); }
    /// Calls `action` once, when the reporter has got `text`.
    void when_printed(const std::string& text, std::function<void()> action) {
        reporter_.on_report = [this, text, action = std::move(action), done = false](const std::string&) mutable {
            if (done || output().find(text) == std::string::npos) return;
            done = true;
            action();
        };
    }
    /// Lets a command that waits in `read line < gate` go on.
    void open_gate() const { EXPECT_EQ(::write(gate_.get(), "\n", 1), 1); }
    /// The process id that the command printed as "NAME=PID".
    [[nodiscard]] pid_t pid(const std::string& name) const {
        const auto at = output().find(name + "=");
        return at == std::string::npos ? -1 : std::stoi(output().substr(at + name.size() + 1));
    }

    EventLoop loop_;
    TemporaryFolder folder_;
    FakeReporter reporter_;
    JobListeners listeners_{&reporter_};
    std::shared_ptr<const MaskSet> masks_;
    std::string mask_;
    std::function<void(std::string_view)> on_added_ = [](std::string_view) {};
    std::optional<JobMasks> job_masks_;
    MaskReport mask_report_;
    std::optional<PhaseRunner> runner_;
    FileDescriptor gate_;
    int runs_ = 0;
};

/// Or a start after a crash would not know that the log has something of the phase.
TEST_F(PhaseRunnerTest, TellsThatTheCommandStartsBeforeAnythingIsPrinted) {
    std::optional<std::string> noted;
    reporter_.on_report = [&](const std::string&) {
        if (!noted && reporter_.outputs.contains(Phase::test)) noted = reporter_.marker;
    };
    auto what = spec("true");
    what.marker = "NAME=VALUE";
    run(std::move(what));
    EXPECT_EQ(noted, "NAME=VALUE");
}

TEST_F(PhaseRunnerTest, PutsNotesAfterTheBanner) {
    auto what = spec("echo one");
    what.notes = "WARNING: a note on s3cret-value\n";
    run(std::move(what));
    EXPECT_EQ(output(), "WARNING: a note on " + mask_ + "\none\n");
}

TEST_F(PhaseRunnerTest, AConnectorsChatterDoesNotPutOffTheOutputTimeout) {
    auto what = spec(
        "while :; do echo '2026-11-20 20:31:00,123 b WARNING: DEVICE CONNECTOR: Serial console at x: closed'; sleep "
        "0.02; "
        "done");
    what.output_timeout = seconds(1);
    what.process.kill_grace = milliseconds(50);
    const auto end = run(std::move(what));
    ASSERT_TRUE(end.interruption);
    EXPECT_TRUE(std::holds_alternative<OutputTimeout>(*end.interruption));
}

TEST_F(PhaseRunnerTest, PutsABannerBeforeTheOutputAndKeepsBothInTheLog) {
    const auto end = run("echo one; echo two >&2; echo three");
    EXPECT_EQ(end.exit_code(), 0);
    EXPECT_FALSE(end.interruption);
    EXPECT_EQ(output(), "one\ntwo\nthree\n");
    EXPECT_EQ(log(), std::string(banner) + "one\ntwo\nthree\n");
}

TEST_F(PhaseRunnerTest, APromptThatMayBeTheStartOfASecretIsShownAfterAWhile) {
    auto what = spec("printf 'user: s3c'; read line < gate; echo ret-value s3cret-value");
    what.release_after = milliseconds(1);
    when_printed("user: s3c", [&] { open_gate(); });
    run(std::move(what));
    EXPECT_EQ(output(), "user: s3c" + mask_ + " " + mask_ + "\n");
}

TEST_F(PhaseRunnerTest, NoMoreOfASecretIsShownThanMayBeHoweverLongItTakes) {
    auto what = spec("printf s3cr; read line < gate; printf et-v; read line < gate; echo alue");
    what.release_after = milliseconds(1);
    when_printed("s3c", [&] {
        open_gate();
        open_gate();
    });
    run(std::move(what));
    EXPECT_EQ(output(), "s3c" + mask_ + "\n");
}

TEST_F(PhaseRunnerTest, WhenMaskingFailsTheCommandIsKilledAndNothingMoreIsLetOut) {
    reporter_.on_report = [this](const std::string&) {
        if (output().ends_with("one\n")) throw std::bad_alloc();
    };
    const auto end = run("trap '' TERM; echo child=$$ > pid; echo one; read line < gate; echo two");
    ASSERT_TRUE(end.interruption);
    EXPECT_TRUE(std::holds_alternative<MaskingFailed>(*end.interruption));
    EXPECT_EQ(end.exit_code(), 247);
    EXPECT_EQ(output(),
              "one\n\nERROR: secrets cannot be masked any more: the phase was ended, and the rest of its output is "
              "left out.\n");
    EXPECT_EQ(log(), std::string(banner) + output());
    EXPECT_FALSE(exists(std::stoi(text_of(folder_ / "pid").substr(6))));
}

TEST_F(PhaseRunnerTest, WhenMasksCanNotBeMadeTheCommandIsNotStarted) {
    reporter_.on_report = [failed = false](const std::string&) mutable {
        if (!std::exchange(failed, true)) throw std::bad_alloc();
    };
    const auto end = run("touch started");
    EXPECT_EQ(end.exit_code(), 247);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "started"));
    EXPECT_THAT(output(), HasSubstr("secrets cannot be masked any more"));
    EXPECT_EQ(run("echo again").exit_code(), 0);
}

TEST_F(PhaseRunnerTest, OnceAValueCouldNotBeAddedNoPhaseLetsAnythingOut) {
    on_added_ = [](std::string_view) { throw std::bad_alloc(); };
    run("printf 'before\\n::add-mask::swordfish\\nswordfish\\n'");
    EXPECT_THAT(output(), AllOf(Not(HasSubstr("swordfish")), HasSubstr("secrets cannot be masked any more")));
    EXPECT_EQ(run("touch started").exit_code(), 247);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "started"));
}

TEST_F(PhaseRunnerTest, CountsWhatItMasks) {
    run("echo s3cret-value s3cret-value");
    EXPECT_EQ(mask_report_.text(), "test: TOKEN (as it is): 2 times\n");
}

TEST_F(PhaseRunnerTest, OutputArrivesWhileTheCommandRuns) {
    when_printed("ready", [&] { open_gate(); });
    run("echo ready; read line < gate; echo done");
    EXPECT_EQ(output(), "ready\ndone\n");
}

TEST_F(PhaseRunnerTest, MasksASecretThatComesInPieces) {
    when_printed("before ", [&] { open_gate(); });
    run("printf 'before s3cret-'; read line < gate; printf 'value after'");
    EXPECT_EQ(output(), "before " + mask_ + " after");
    EXPECT_EQ(log(), std::string(banner) + "before " + mask_ + " after");
}

TEST_F(PhaseRunnerTest, HandsOutTheStartOfASecretThatEndsTheOutput) {
    run("printf 'x s3cret-val'");
    EXPECT_EQ(output(), "x s3cret-val");
}

TEST_F(PhaseRunnerTest, MasksTheBannerToo) {
    auto what = spec("true");
    what.banner = "phase on s3cret-value";
    run(std::move(what));
    EXPECT_THAT(reporter_.outputs[Phase::test], Not(HasSubstr("s3cret-value")));
}

TEST_F(PhaseRunnerTest, KeepsALotOfOutputInOrder) {
    run("seq 1 100000");
    std::string expected;
    for (int i = 1; i <= 100'000; ++i) expected += std::to_string(i) + "\n";
    EXPECT_TRUE(output() == expected);
    EXPECT_TRUE(log() == std::string(banner) + expected);
}

TEST_F(PhaseRunnerTest, GivesExitCodesAndSignals) {
    EXPECT_EQ(run("exit 7").exit_code(), 7);
    EXPECT_EQ(run("exit 46").exit_code(), 46);
    EXPECT_EQ(run("exit 256").exit_code(), 0);
    EXPECT_EQ(run("kill -KILL $$").exit_code(), 247);
    EXPECT_EQ(run("kill -SEGV $$").exit_code(), 245);
}

TEST_F(PhaseRunnerTest, SaysWhyACommandCouldNotStart) {
    auto what = spec("true");
    what.process.folder = folder_ / "missing";
    const auto end = run(std::move(what));
    EXPECT_EQ(end.exit_code(), 100);
    EXPECT_THAT(output(), StartsWith("\nERROR: cannot use the folder " + (folder_ / "missing").string()));
}

TEST_F(PhaseRunnerTest, EndsACommandAtItsGlobalTimeout) {
    auto what = spec("echo start; sleep 1000; echo never");
    what.global_timeout = seconds(1);
    const auto end = run(std::move(what));
    ASSERT_TRUE(end.interruption);
    EXPECT_TRUE(std::holds_alternative<GlobalTimeout>(*end.interruption));
    EXPECT_EQ(end.exit_code(), 247);
    EXPECT_EQ(output(), "start\n\nERROR: Global timeout reached! (1s)\n");
    EXPECT_EQ(log(), std::string(banner) + output());
}

TEST_F(PhaseRunnerTest, TheMessageStandsOnALineOfItsOwn) {
    auto what = spec("printf unfinished; sleep 1000");
    what.global_timeout = seconds(1);
    run(std::move(what));
    EXPECT_EQ(output(), "unfinished\n\nERROR: Global timeout reached! (1s)\n");
}

TEST_F(PhaseRunnerTest, EndsASilentCommandAtItsOutputTimeout) {
    auto what = spec("echo start; sleep 1000");
    what.output_timeout = seconds(1);
    const auto end = run(std::move(what));
    ASSERT_TRUE(end.interruption);
    EXPECT_TRUE(std::holds_alternative<OutputTimeout>(*end.interruption));
    EXPECT_EQ(output(), "start\n\nERROR: Output timeout reached! (1s)\n");
}

TEST_F(PhaseRunnerTest, TheLabsCommandBeforeAnOutputTimeoutRunsAsThePhasesUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: needs root, to become another user";
    auto what = spec("sleep 1000");
    what.process.folder = "/";
    what.process.user = ProcessUser{300'001, 300'002};
    what.output_timeout = seconds(1);
    what.output_timeout_command = "id -u";
    static_cast<void>(run(std::move(what)));
    EXPECT_THAT(output(), HasSubstr("trebuchet.output_timeout_command\n300001\n"));
}

TEST_F(PhaseRunnerTest, RunsTheLabsCommandOnceBeforeAnOutputTimeoutEndsThePhase) {
    auto what = spec("echo start; sleep 1000");
    what.output_timeout = seconds(1);
    what.output_timeout_command = "echo cycling, s3cret-value; exit 3";
    const auto tail = masks_->mask("kernel panic s3cret-value\n");
    what.last_of_console = [&]() -> const MaskedChunk& { return tail; };
    const auto end = run(std::move(what));
    ASSERT_TRUE(end.interruption);
    EXPECT_TRUE(std::holds_alternative<OutputTimeout>(*end.interruption));
    EXPECT_EQ(output(),
              "start\nThe phase has printed nothing for 1 s: running trebuchet.output_timeout_command\n"
              "The serial console's last lines:\nkernel panic " +
                  mask_ + "\n\ncycling, " + mask_ +
                  "\ntrebuchet.output_timeout_command failed: exit code 3\n\nERROR: Output timeout reached! (1s)\n");
}

TEST_F(PhaseRunnerTest, TheLabsCommandHasALimitAndItsOutputKeepsNoPhaseAlive) {
    auto what = spec("echo start; sleep 1000");
    what.output_timeout = seconds(1);
    what.output_timeout_command = "while :; do echo on; sleep 0.05; done";
    what.output_timeout_command_limit = milliseconds(200);
    const auto end = run(std::move(what));
    EXPECT_TRUE(std::holds_alternative<OutputTimeout>(*end.interruption));
    EXPECT_THAT(output(), HasSubstr("takes too long"));
}

TEST_F(PhaseRunnerTest, OutputPutsOffTheOutputTimeout) {
    auto what = spec("for i in 0 1 2 3 4 5 6 7 8 9 a; do echo $i; sleep 0.1; done");
    what.output_timeout = seconds(1);
    const auto end = run(std::move(what));
    EXPECT_FALSE(end.interruption);
    EXPECT_EQ(output(), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\na\n");
}

TEST_F(PhaseRunnerTest, ACommandThatCatchesItsEndStillFailed) {
    auto what = spec("trap 'echo caught; exit 0' TERM; echo ready; sleep 1000 & wait");
    what.can_be_cancelled = true;
    when_printed("ready", [&] { reporter_.cancel_handler(); });
    const auto end = run(std::move(what));
    EXPECT_EQ(end.exit_code(), 247);
    EXPECT_THAT(output(), HasSubstr("caught\n"));
}

TEST_F(PhaseRunnerTest, CancellingEndsTheWholeTree) {
    auto what = spec("setsid sleep 1000 & echo child=$!; echo main=$$; wait");
    what.can_be_cancelled = true;
    when_printed("main=", [&] { reporter_.cancel_handler(); });
    const auto end = run(std::move(what));
    ASSERT_TRUE(end.interruption);
    EXPECT_TRUE(std::holds_alternative<Cancelled>(*end.interruption));
    EXPECT_THAT(output(), EndsWith("\nJob cancellation was requested, exiting.\n"));
    EXPECT_FALSE(exists(pid("child")));
    EXPECT_FALSE(exists(pid("main")));
    EXPECT_FALSE(reporter_.cancel_handler);
}

TEST_F(PhaseRunnerTest, ATreeThatIgnoresTermIsKilledAfterTheGrace) {
    auto what = spec("trap '' TERM; sleep 1000 & echo child=$!; echo main=$$; while :; do wait; done");
    what.can_be_cancelled = true;
    what.process.kill_grace = milliseconds(50);
    when_printed("main=", [&] { reporter_.cancel_handler(); });
    EXPECT_EQ(run(std::move(what)).exit_code(), 247);
    EXPECT_FALSE(exists(pid("child")));
    EXPECT_FALSE(exists(pid("main")));
}

TEST_F(PhaseRunnerTest, ACancellationIsWatchedForOnlyWhereItCounts) {
    bool watched = false;
    when_printed("ready", [&] { watched = reporter_.cancel_handler != nullptr; });
    run("echo ready");
    EXPECT_FALSE(watched);
}

TEST_F(PhaseRunnerTest, TheAgentsStopEndsIt) {
    auto what = spec("echo ready; sleep 1000");
    what.can_be_stopped = true;
    when_printed("ready", [&] { runner_->stop(); });
    const auto end = run(std::move(what));
    ASSERT_TRUE(end.interruption);
    EXPECT_TRUE(std::holds_alternative<AgentStops>(*end.interruption));
    EXPECT_THAT(output(), HasSubstr("The agent is stopping"));
}

TEST_F(PhaseRunnerTest, TheAgentsStopLeavesAlonePhasesThatCannotBeStopped) {
    when_printed("ready", [&] {
        runner_->stop();
        open_gate();
    });
    const auto end = run("echo ready; read line < gate; echo done");
    EXPECT_FALSE(end.interruption);
    EXPECT_EQ(output(), "ready\ndone\n");
}

TEST_F(PhaseRunnerTest, StoppingWithNothingRunningDoesNothing) {
    runner_->stop();
    EXPECT_EQ(run("echo x").exit_code(), 0);
}

TEST_F(PhaseRunnerTest, OnlyTheFirstInterruptionCounts) {
    auto what = spec("trap '' TERM; echo ready; while :; do sleep 1000; done");
    what.can_be_cancelled = true;
    what.can_be_stopped = true;
    what.process.kill_grace = milliseconds(50);
    when_printed("ready", [&] {
        reporter_.cancel_handler();
        runner_->stop();
    });
    const auto end = run(std::move(what));
    EXPECT_TRUE(std::holds_alternative<Cancelled>(*end.interruption));
    EXPECT_THAT(output(), Not(HasSubstr("The agent is stopping")));
}

TEST_F(PhaseRunnerTest, WhatACommandLeavesRunningIsEndedWhenToldTo) {
    const auto end = run("sleep 1000 >/dev/null 2>&1 & echo child=$!");
    EXPECT_EQ(end.exit_code(), 0);
    EXPECT_TRUE(exists(pid("child")));
    runner_->end_leftovers();
    EXPECT_FALSE(exists(pid("child")));
}

TEST_F(PhaseRunnerTest, WhatHoldsTheOutputOpenDoesNotHoldUpThePhase) {
    const auto end = run("echo started; sleep 1000 & echo child=$!");
    EXPECT_EQ(end.exit_code(), 0);
    EXPECT_THAT(output(), StartsWith("started\nchild="));
    runner_->end_leftovers();
    EXPECT_FALSE(exists(pid("child")));
}

TEST_F(PhaseRunnerTest, AFullReporterHoldsTheCommandUntilThereIsRoom) {
    Timer later(loop_);
    std::size_t held_at = 0;
    std::size_t after_a_while = 0;
    when_printed("1\n", [&] {
        reporter_.full = true;
        later.start(milliseconds(50), [&] {
            held_at = output().size();
            later.start(milliseconds(50), [&] {
                after_a_while = output().size();
                reporter_.full = false;
                ASSERT_TRUE(reporter_.room_handler);
                reporter_.room_handler();
            });
        });
    });
    const auto end = run("seq 1 200000");
    EXPECT_EQ(end.exit_code(), 0);
    EXPECT_GT(held_at, 0U);
    EXPECT_LT(held_at, 200'000U);
    EXPECT_EQ(after_a_while, held_at);
    std::string expected;
    for (int i = 1; i <= 200'000; ++i) expected += std::to_string(i) + "\n";
    EXPECT_TRUE(output() == expected);
}

TEST_F(PhaseRunnerTest, ACommandThatIsHeldIsNotSilent) {
    Timer later(loop_);
    when_printed("1\n", [&] {
        reporter_.full = true;
        later.start(milliseconds(1200), [&] {
            reporter_.full = false;
            reporter_.room_handler();
        });
    });
    auto what = spec("seq 1 200000");
    what.output_timeout = seconds(1);
    EXPECT_FALSE(run(std::move(what)).interruption);
    EXPECT_THAT(output(), EndsWith("\n200000\n"));
}

TEST_F(PhaseRunnerTest, ACommandThatIsHeldCanBeEnded) {
    Timer later(loop_);
    when_printed("1\n", [&] {
        reporter_.full = true;
        later.start(milliseconds(20), [&] { reporter_.cancel_handler(); });
    });
    auto what = spec("seq 1 10000000");
    what.can_be_cancelled = true;
    EXPECT_TRUE(run(std::move(what)).interruption);
}

TEST_F(PhaseRunnerTest, ALogThatCannotBeWrittenStopsNothing) {
    const auto end = runner_->run(spec("echo one; echo two"), -1);
    EXPECT_EQ(end.exit_code(), 0);
    EXPECT_EQ(output(), "one\ntwo\n");
}

TEST(Interruptions, AreDescribedAsTheReferenceAgentDoes) {
    EXPECT_EQ(describe(GlobalTimeout{seconds(14'400)}), "ERROR: Global timeout reached! (14400s)");
    EXPECT_EQ(describe(OutputTimeout{seconds(900)}), "ERROR: Output timeout reached! (900s)");
    EXPECT_EQ(describe(Cancelled{}), "Job cancellation was requested, exiting.");
}

TEST_F(PhaseRunnerTest, MasksWhatTheCommandRegistersFromThenOnAlsoInLaterPhases) {
    run("echo before swordfish; echo ::add-mask::swordfish; echo after swordfish");
    const std::string mask(job_masks_->current()->mask("swordfish").bytes());
    EXPECT_NE(mask, "swordfish");
    EXPECT_EQ(output(), "before swordfish\nafter " + mask + "\n");
    EXPECT_EQ(log(), std::string(banner) + "before swordfish\nafter " + mask + "\n");
    reporter_.outputs.clear();
    run("echo later swordfish");
    EXPECT_EQ(output(), "later " + mask + "\n");
}

TEST_F(PhaseRunnerTest, MasksWhatTheCommandWritesIntoItsFifo) {
    auto fifo = MaskFifo::make(folder_ / "mask.fifo");
    ASSERT_TRUE(fifo);
    auto what = spec("echo swordfish > mask.fifo; echo see swordfish; printf trebuchet > mask.fifo");
    what.mask_fifo = &*fifo;
    run(std::move(what));
    EXPECT_EQ(output(), "see " + std::string(job_masks_->current()->mask("swordfish").bytes()) + "\n");
    EXPECT_NE(job_masks_->current()->mask("trebuchet").bytes(), "trebuchet");
}

TEST_F(PhaseRunnerTest, AWriteIntoTheFifoNeedsNoLineEnd) {
    auto fifo = MaskFifo::make(folder_ / "mask.fifo");
    ASSERT_TRUE(fifo);
    auto what = spec("printf swordfish > mask.fifo; echo see swordfish; printf trebuchet > mask.fifo; echo trebuchet");
    what.mask_fifo = &*fifo;
    run(std::move(what));
    EXPECT_THAT(output(), Not(HasSubstr("swordfish")));
    EXPECT_THAT(output(), Not(HasSubstr("trebuchet")));
    EXPECT_THAT(output(), HasSubstr("see **"));
}

TEST_F(PhaseRunnerTest, ASilentCommandMayWriteMoreIntoItsFifoThanFits) {
    auto fifo = MaskFifo::make(folder_ / "mask.fifo");
    ASSERT_TRUE(fifo);
    auto what =
        spec("i=0; while [ $i -lt 9000 ]; do echo value-$i-abcdef; i=$((i+1)); done > mask.fifo; echo value-7-abcdef");
    what.mask_fifo = &*fifo;
    EXPECT_EQ(run(std::move(what)).exit_code(), 0);
    EXPECT_THAT(output(), HasSubstr("WARNING: a value to be masked is refused: a job may register no more than 1000"));
    EXPECT_THAT(output(), Not(HasSubstr("value-7-abcdef")));
}

TEST_F(PhaseRunnerTest, SaysThatWhatStandsInTheFifosPlaceIsNotRead) {
    auto fifo = MaskFifo::make(folder_ / "mask.fifo");
    ASSERT_TRUE(fifo);
    auto what = spec("rm mask.fifo; echo swordfish > mask.fifo");
    what.mask_fifo = &*fifo;
    run(std::move(what));
    EXPECT_THAT(output(), HasSubstr("WARNING: what was written to $TREBUCHET_MASK_FILE may not be masked"));
}

TEST_F(PhaseRunnerTest, RefusesValuesThatAreTooShortOnceWithAWarning) {
    run("echo ::add-mask::ab; echo ::add-mask::cd; echo ::add-mask::; echo abcd");
    EXPECT_EQ(output(),
              "WARNING: a value to be masked is refused: it is too short to be told apart from ordinary text\nabcd\n");
}

}  // namespace
}  // namespace trebuchet
