#include "agent/cli/console_reporter.hpp"

#include "agent/cli/local_control.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/masked.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <regex>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

class ConsoleReporterTest : public testing::Test {
  protected:
    ConsoleReporterTest() { job_.id = "local-1"; }
    /// What was shown, without the times of day.
    [[nodiscard]] std::string shown() const {
        static const std::regex time_of_day("[0-9][0-9]:[0-9][0-9]:[0-9][0-9]");
        return std::regex_replace(out_.str(), time_of_day, "TIME");
    }
    [[nodiscard]] std::string kept(std::string_view file) const { return text_of(folder_ / file); }

    FakeClock clock_;
    TemporaryFolder folder_;
    std::ostringstream out_;
    Job job_;
    ConsoleReporter reporter_{clock_, out_, false, folder_.path()};
};

TEST_F(ConsoleReporterTest, ShowsAJobAsItRuns) {
    reporter_.job_taken(job_);
    reporter_.phase_entered(Phase::provision);
    reporter_.phase_runs(Phase::test);
    reporter_.output(Phase::test, masked("hello\n"));
    clock_.advance(milliseconds(1250));
    reporter_.phase_ran(Phase::test, {{Phase::test, 0}});
    reporter_.job_finished({{Phase::test, 0}}, false);
    EXPECT_EQ(shown(),
              "=== TIME  job local-1\n"
              "=== TIME  test\n"
              "hello\n"
              "=== TIME  test: ok, 1.25 s\n"
              "=== TIME  done in 1.25 s, files are in " +
                  folder_.path().string() + "\n");
    EXPECT_EQ(reporter_.first_failure(), 0);
}

TEST_F(ConsoleReporterTest, AHeadingStartsOnALineOfItsOwn) {
    reporter_.phase_runs(Phase::test);
    reporter_.output(Phase::test, masked("unfinished"));
    reporter_.phase_ran(Phase::test, {{Phase::test, 0}});
    EXPECT_THAT(shown(), HasSubstr("unfinished\n=== TIME  test: ok"));
}

TEST_F(ConsoleReporterTest, TheFirstFailureCounts) {
    reporter_.phase_ran(Phase::setup, {{Phase::setup, 0}});
    reporter_.phase_ran(Phase::test, {{Phase::setup, 0}, {Phase::test, 3}});
    reporter_.phase_ran(Phase::cleanup, {{Phase::setup, 0}, {Phase::test, 3}, {Phase::cleanup, 5}});
    EXPECT_EQ(reporter_.first_failure(), 3);
    EXPECT_THAT(shown(), HasSubstr("test: failed with exit code 3, "));
}

TEST_F(ConsoleReporterTest, SaysThatTheDeviceIsLost) {
    reporter_.recovery_failed("comment");
    EXPECT_THAT(shown(), HasSubstr("the device could not be recovered"));
}

TEST_F(ConsoleReporterTest, UsesColourOnlyWhereItIsWanted) {
    reporter_.job_taken(job_);
    EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b[")));
    std::ostringstream terminal;
    ConsoleReporter coloured(clock_, terminal, true, folder_.path());
    coloured.job_taken(job_);
    EXPECT_THAT(terminal.str(), HasSubstr("\x1b["));
    EXPECT_TRUE(terminal.str().ends_with("\x1b[0m\n"));
}

TEST_F(ConsoleReporterTest, KeepsTheLogsByPhase) {
    reporter_.output(Phase::setup, masked("one\n"));
    reporter_.output(Phase::test, masked("two\n"));
    reporter_.output(Phase::test, masked("three\n"));
    reporter_.serial(Phase::test, masked("boot\n"));
    EXPECT_EQ(kept("setup.log"), "one\n");
    EXPECT_EQ(kept("test.log"), "two\nthree\n");
    EXPECT_EQ(kept("test-serial.log"), "boot\n");
    EXPECT_THAT(shown(), Not(HasSubstr("boot")));
}

TEST_F(ConsoleReporterTest, ReplacesWhatAnEarlierRunLeft) {
    folder_.write("test.log", "old");
    folder_.write("device-info.json", "old");
    folder_.write("victim", "precious");
    std::filesystem::create_symlink(folder_ / "victim", folder_ / "setup.log");
    reporter_.output(Phase::setup, masked("new"));
    reporter_.output(Phase::test, masked("new"));
    reporter_.device_info(MaskedJson());
    EXPECT_EQ(kept("test.log"), "new");
    EXPECT_EQ(kept("setup.log"), "new");
    EXPECT_EQ(kept("victim"), "precious");
    EXPECT_EQ(json::parse(kept("device-info.json")), json({{"device_info", json::object()}}));
}

TEST_F(ConsoleReporterTest, KeepsTheLastDeviceInfoAndTheOutcome) {
    reporter_.device_info(MaskedJson(no_masks(), {{"ip", "10.0.0.1"}}));
    reporter_.device_info(MaskedJson(no_masks(), {{"ip", "10.0.0.2"}}));
    reporter_.job_finished({{Phase::setup, 0}, {Phase::test, 3}}, false);
    EXPECT_EQ(json::parse(kept("device-info.json")), json({{"device_info", {{"ip", "10.0.0.2"}}}}));
    EXPECT_EQ(json::parse(kept("testflinger-outcome.json")),
              json({{"job_state", "complete"}, {"status", {{"setup", 0}, {"test", 3}}}}));
}

TEST_F(ConsoleReporterTest, KeepsTheArtifacts) {
    folder_.write("archive", "bytes");
    folder_.write("artifacts.tar.gz", "old");
    reporter_.artifacts_packed(folder_ / "archive");
    EXPECT_EQ(kept("artifacts.tar.gz"), "bytes");
}

TEST_F(ConsoleReporterTest, AFolderThatCannotBeWrittenStopsNothing) {
    std::ostringstream out;
    ConsoleReporter reporter(clock_, out, false, folder_ / "missing");
    reporter.output(Phase::test, masked("hello\n"));
    reporter.artifacts_packed(folder_ / "missing too");
    reporter.job_finished({}, false);
    EXPECT_THAT(out.str(), HasSubstr("hello\n"));
}

TEST_F(ConsoleReporterTest, IsNeverFullNorCancelled) {
    EXPECT_FALSE(reporter_.is_full());
    EXPECT_FALSE(LocalControl().is_cancelled());
}

}  // namespace
}  // namespace trebuchet
