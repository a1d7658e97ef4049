#include "agent/metrics/metered_reporter.hpp"

#include "common/mask/mask_set.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_reporter.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class MeteredReporterTest : public testing::Test {
  protected:
    void run(Phase phase, int exit_code, seconds time) {
        reporter_.phase_entered(phase);
        reporter_.phase_runs(phase);
        clock_.advance(time);
        status_[phase] = exit_code;
        reporter_.phase_ran(phase, status_);
    }

    FakeClock clock_;
    FakeReporter inner_;
    AgentMetrics metrics_{"audino", ""};
    MeteredReporter reporter_{inner_, metrics_, clock_};
    PhaseStatus status_;
};

TEST_F(MeteredReporterTest, CountsMaskedSecretsByPlaceAndFormAndNamesNone) {
    LeakReport report;
    report.at("test")->add("TOKEN", Form::base64, 3);
    report.at("test")->add("KEY", Form::base64, 2);
    report.at("artifacts")->add("TOKEN", Form::exact);
    reporter_.secrets_masked(report);
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr("trebuchet_masked_total{agent_id=\"audino\",form=\"base64\",place=\"test\"} 5\n"));
    EXPECT_THAT(text,
                HasSubstr("trebuchet_masked_total{agent_id=\"audino\",form=\"as it is\",place=\"artifacts\"} 1\n"));
    EXPECT_THAT(text, Not(HasSubstr("TOKEN")));
}

TEST_F(MeteredReporterTest, TimesThePhasesThatRan) {
    run(Phase::setup, 0, seconds(3));
    reporter_.phase_entered(Phase::provision);  // skipped
    run(Phase::test, 1, seconds(70));
    const auto text = metrics_.text();
    EXPECT_THAT(
        text,
        HasSubstr(R"(phase_duration_seconds_sum{agent_id="audino",identifier="",release="",test_phase="setup"} 3)"));
    EXPECT_THAT(
        text,
        HasSubstr(R"(phase_duration_seconds_sum{agent_id="audino",identifier="",release="",test_phase="test"} 70)"));
    EXPECT_THAT(text, Not(HasSubstr(R"(release="",test_phase="provision")")));
}

TEST_F(MeteredReporterTest, CountsAPhaseThatFailedOnce) {
    run(Phase::test, 1, seconds(1));
    run(Phase::cleanup, 0, seconds(1));  // its status still holds test's
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr("failures_total{agent_id=\"audino\",test_phase=\"test\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("failures_total{agent_id=\"audino\",test_phase=\"cleanup\"} 0\n"));
}

TEST_F(MeteredReporterTest, CountsAFailureOfAPhaseThatNeverRanWithoutATime) {
    reporter_.phase_ran(Phase::setup, {{Phase::setup, 100}});
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr("failures_total{agent_id=\"audino\",test_phase=\"setup\"} 1\n"));
    EXPECT_THAT(text, Not(HasSubstr("phase_duration_seconds")));
}

TEST_F(MeteredReporterTest, CountsDevicesThatNeedSomebody) {
    reporter_.recovery_failed("Set to offline by agent.");
    EXPECT_THAT(metrics_.text(), HasSubstr("recovery_failures_total{agent_id=\"audino\"} 1\n"));
    EXPECT_THAT(inner_.reports, ElementsAre("recovery_failed: Set to offline by agent."));
}

TEST_F(MeteredReporterTest, CountsTheBytesOfOutputAndSerialLog) {
    reporter_.output(Phase::test, MaskSet::none()->mask("12345"));
    reporter_.serial(Phase::test, MaskSet::none()->mask("678"));
    EXPECT_THAT(metrics_.text(), HasSubstr("trebuchet_masked_bytes_total{agent_id=\"audino\"} 8\n"));
    EXPECT_EQ(inner_.outputs[Phase::test], "12345");
    EXPECT_EQ(inner_.serials[Phase::test], "678");
}

TEST_F(MeteredReporterTest, TheStateIsThePhaseInHand) {
    reporter_.phase_entered(Phase::provision);
    EXPECT_THAT(metrics_.text(), HasSubstr("state=\"provision\"} 1\n"));
    reporter_.phase_runs(Phase::cleanup);
    EXPECT_THAT(metrics_.text(), HasSubstr("state=\"cleanup\"} 1\n"));
}

TEST_F(MeteredReporterTest, AReleaseHoldsUntilTheNextJob) {
    metrics_.release_known("noble");
    run(Phase::test, 0, seconds(1));
    reporter_.job_taken(Job{});
    run(Phase::test, 0, seconds(1));
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr(R"(release="noble",test_phase="test"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(release="",test_phase="test"} 1)"));
}

TEST_F(MeteredReporterTest, PassesEverythingOnInOrder) {
    Job job;
    job.id = "j";
    reporter_.job_taken(job);
    run(Phase::setup, 0, seconds(0));
    reporter_.device_info(MaskedJson());
    reporter_.event("setup_success", MaskSet::none()->mask("fine"));
    reporter_.provision_log(3, MaskSet::none()->mask("provision_fail"));
    reporter_.artifacts("artifacts.tar.gz");
    reporter_.job_finished(status_, true);
    EXPECT_THAT(inner_.reports, ElementsAre("job_taken: j", "entered: setup", "runs: setup", "ran: setup 0",
                                            "device_info", "event: setup_success", "provision_log: 3 provision_fail",
                                            "artifacts", "finished: cancelled"));
    EXPECT_EQ(inner_.detail_of("setup_success"), "fine");
}

TEST_F(MeteredReporterTest, PassesQuestionsOn) {
    EXPECT_FALSE(reporter_.is_full());
    EXPECT_FALSE(reporter_.is_cancelled());
    inner_.full = true;
    inner_.cancelled = true;
    EXPECT_TRUE(reporter_.is_full());
    EXPECT_TRUE(reporter_.is_cancelled());
    int called = 0;
    reporter_.on_room([&] { ++called; });
    reporter_.watch_for_cancel([&] { ++called; });
    inner_.room_handler();
    inner_.cancel_handler();
    EXPECT_EQ(called, 2);
    reporter_.unwatch();
    EXPECT_FALSE(inner_.cancel_handler);
}

}  // namespace
}  // namespace trebuchet
