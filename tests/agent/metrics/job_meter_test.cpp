#include "agent/metrics/job_meter.hpp"

#include "common/mask/mask_set.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_reporter.hpp"
#include "tests/fakes/masked.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class JobMeterTest : public testing::Test {
  protected:
    void run(Phase phase, int exit_code, seconds time) {
        meter_.phase_entered(phase);
        meter_.phase_runs(phase);
        clock_.advance(time);
        status_[phase] = exit_code;
        meter_.phase_ran(phase, status_);
    }

    FakeClock clock_;
    FakeReporter inner_;
    AgentMetrics metrics_{"audino", ""};
    JobMeter meter_{metrics_, clock_};
    MeteredLog log_{inner_, metrics_};
    JobListeners listeners_{&meter_, &inner_};
    PhaseStatus status_;
};

TEST_F(JobMeterTest, CountsMaskedSecretsByPlaceAndFormAndNamesNone) {
    MaskReport report;
    report.at("test")->add("TOKEN", Form::base64, 3);
    report.at("test")->add("KEY", Form::base64, 2);
    report.at("artifacts")->add("TOKEN", Form::exact);
    meter_.secrets_masked(report);
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr("trebuchet_masked_total{agent_id=\"audino\",form=\"base64\",place=\"test\"} 5\n"));
    EXPECT_THAT(text,
                HasSubstr("trebuchet_masked_total{agent_id=\"audino\",form=\"as it is\",place=\"artifacts\"} 1\n"));
    EXPECT_THAT(text, Not(HasSubstr("TOKEN")));
}

TEST_F(JobMeterTest, TimesThePhasesThatRan) {
    run(Phase::setup, 0, seconds(3));
    meter_.phase_entered(Phase::provision);  // skipped
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

TEST_F(JobMeterTest, CountsAPhaseThatFailedOnce) {
    run(Phase::test, 1, seconds(1));
    run(Phase::cleanup, 0, seconds(1));  // its status still holds test's
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr("failures_total{agent_id=\"audino\",test_phase=\"test\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("failures_total{agent_id=\"audino\",test_phase=\"cleanup\"} 0\n"));
}

TEST_F(JobMeterTest, CountsAFailureOfAPhaseThatNeverRanWithoutATime) {
    meter_.phase_ran(Phase::setup, {{Phase::setup, 100}});
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr("failures_total{agent_id=\"audino\",test_phase=\"setup\"} 1\n"));
    EXPECT_THAT(text, Not(HasSubstr("phase_duration_seconds")));
}

TEST_F(JobMeterTest, CountsDevicesThatNeedSomebody) {
    listeners_.tell(&JobListener::recovery_failed, "Set to offline by agent.");
    EXPECT_THAT(metrics_.text(), HasSubstr("recovery_failures_total{agent_id=\"audino\"} 1\n"));
    EXPECT_THAT(inner_.reports, ElementsAre("recovery_failed: Set to offline by agent."));
}

TEST_F(JobMeterTest, CountsTheBytesOfOutputAndSerialLog) {
    log_.output(Phase::test, masked("12345"));
    log_.serial(Phase::test, masked("678"));
    EXPECT_THAT(metrics_.text(), HasSubstr("trebuchet_masked_bytes_total{agent_id=\"audino\"} 8\n"));
    EXPECT_EQ(inner_.outputs[Phase::test], "12345");
    EXPECT_EQ(inner_.serials[Phase::test], "678");
}

TEST_F(JobMeterTest, TheStateIsThePhaseInHand) {
    meter_.phase_entered(Phase::provision);
    EXPECT_THAT(metrics_.text(), HasSubstr("state=\"provision\"} 1\n"));
    meter_.phase_runs(Phase::cleanup);
    EXPECT_THAT(metrics_.text(), HasSubstr("state=\"cleanup\"} 1\n"));
}

TEST_F(JobMeterTest, AReleaseHoldsUntilTheNextJob) {
    metrics_.release_known("noble");
    run(Phase::test, 0, seconds(1));
    meter_.job_taken(Job{});
    run(Phase::test, 0, seconds(1));
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr(R"(release="noble",test_phase="test"} 1)"));
    EXPECT_THAT(text, HasSubstr(R"(release="",test_phase="test"} 1)"));
}

TEST_F(JobMeterTest, EveryListenerIsToldInOrder) {
    FakeReporter second;
    listeners_.add(second);
    second.on_report = [&](const std::string& line) { EXPECT_EQ(inner_.reports.back(), line) << "told first"; };
    Job job;
    job.id = "j";
    listeners_.tell(&JobListener::job_taken, job);
    listeners_.tell(&JobListener::phase_entered, Phase::setup);
    listeners_.tell(&JobListener::phase_runs, Phase::setup);
    listeners_.tell(&JobListener::phase_ran, Phase::setup, PhaseStatus{{Phase::setup, 0}});
    listeners_.tell(&JobListener::device_info, MaskedJson());
    listeners_.tell(&JobListener::event, "setup_success", masked("fine"));
    listeners_.tell(&JobListener::provision_log, 3, masked("provision_fail"));
    listeners_.tell(&JobListener::artifacts_packed, std::filesystem::path("archive"));
    listeners_.tell(&JobListener::job_finished, PhaseStatus{}, true);
    EXPECT_THAT(std::vector<std::string>(inner_.calls.end() - 2, inner_.calls.end()),
                ElementsAre("artifacts packed", "job finished"));
    EXPECT_EQ(second.calls, inner_.calls);
    EXPECT_THAT(inner_.reports, ElementsAre("job_taken: j", "entered: setup", "runs: setup", "ran: setup 0",
                                            "device_info", "event: setup_success", "provision_log: 3 provision_fail"));
    EXPECT_EQ(second.reports, inner_.reports);
    EXPECT_EQ(inner_.detail_of("setup_success"), "fine");
}

TEST_F(JobMeterTest, PassesQuestionsAboutTheLogOn) {
    EXPECT_FALSE(log_.is_full());
    inner_.full = true;
    EXPECT_TRUE(log_.is_full());
    int called = 0;
    log_.on_room([&] { ++called; });
    inner_.room_handler();
    EXPECT_EQ(called, 1);
}

}  // namespace
}  // namespace trebuchet
