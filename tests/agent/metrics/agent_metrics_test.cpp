#include "agent/metrics/agent_metrics.hpp"

#include "common/base/version.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

class AgentMetricsTest : public testing::Test {
  protected:
    AgentMetrics metrics_{"audino", "20210101-1234"};
};

TEST_F(AgentMetricsTest, ShowsWhatCanBeCountedFromTheStart) {
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr("# TYPE jobs_total counter\njobs_total{agent_id=\"audino\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("failures_total{agent_id=\"audino\",test_phase=\"setup\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("failures_total{agent_id=\"audino\",test_phase=\"cleanup\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("recovery_failures_total{agent_id=\"audino\"} 0\n"));
    EXPECT_THAT(text,
                HasSubstr("trebuchet_agent_info{agent_id=\"audino\",version=\"" + std::string(version) + "\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("trebuchet_upload_lag_seconds{agent_id=\"audino\"} 0\n"));
    EXPECT_THAT(text, Not(HasSubstr("phase_duration_seconds")));
}

TEST_F(AgentMetricsTest, CountsUnderTheReferencesNames) {
    metrics_.job_started();
    metrics_.job_failed(Phase::provision);
    metrics_.job_failed(Phase::provision);
    metrics_.recovery_failed();
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr("\njobs_total{agent_id=\"audino\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("\nfailures_total{agent_id=\"audino\",test_phase=\"provision\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("\nrecovery_failures_total{agent_id=\"audino\"} 1\n"));
}

TEST_F(AgentMetricsTest, PutsAPhasesTimeIntoTheReferencesBuckets) {
    metrics_.release_known("noble");
    metrics_.phase_took(Phase::test, milliseconds(90500));
    const auto text = metrics_.text();
    const std::string labels = R"({agent_id="audino",identifier="20210101-1234",release="noble",test_phase="test")";
    EXPECT_THAT(text, HasSubstr("# TYPE phase_duration_seconds histogram\n"));
    EXPECT_THAT(text, HasSubstr("phase_duration_seconds_count" + labels + "} 1\n"));
    EXPECT_THAT(text, HasSubstr("phase_duration_seconds_sum" + labels + "} 90.5\n"));
    EXPECT_THAT(text, HasSubstr("phase_duration_seconds_bucket" + labels + ",le=\"60\"} 0\n"));
    for (const std::string bound : {"120", "300", "600", "1800", "3600", "7200", "14400", "+Inf"}) {
        EXPECT_THAT(text, HasSubstr("phase_duration_seconds_bucket" + labels + ",le=\"" + bound + "\"} 1\n"));
    }
    EXPECT_EQ(count(text, "phase_duration_seconds_bucket"), 9U);
}

TEST_F(AgentMetricsTest, ShowWhichGuardHoldsTheAgentBack) {
    const auto series = [](const std::string& guard, int value) {
        return "trebuchet_held_back{agent_id=\"audino\",guard=\"" + guard + "\"} " + std::to_string(value) + "\n";
    };
    EXPECT_THAT(metrics_.text(), HasSubstr(series("disk", 0)));
    metrics_.held_back(HeldBack{Guard::disk, "/run is full"});
    EXPECT_THAT(metrics_.text(), AllOf(HasSubstr(series("disk", 1)), HasSubstr(series("token", 0))));
    EXPECT_EQ(metrics_.problem(), "no jobs are taken: /run is full");
    metrics_.held_back(std::nullopt);
    EXPECT_THAT(metrics_.text(), HasSubstr(series("disk", 0)));
    EXPECT_EQ(metrics_.problem(), "");
}

TEST_F(AgentMetricsTest, TheReleaseIsEmptyUntilItIsKnown) {
    metrics_.phase_took(Phase::setup, seconds(1));
    EXPECT_THAT(metrics_.text(), HasSubstr(R"(release="",test_phase="setup"} 1)"));
}

TEST_F(AgentMetricsTest, DevicesCannotMakeReleasesWithoutEnd) {
    for (int i = 0; i < 1000; ++i) {
        metrics_.release_known("r" + std::to_string(i));
        metrics_.phase_took(Phase::test, seconds(1));
    }
    auto text = metrics_.text();
    EXPECT_EQ(count(text, "phase_duration_seconds_count"), 33U);
    EXPECT_THAT(text, HasSubstr(R"(release="other",test_phase="test"} 968)"));
    metrics_.release_known("r0");
    metrics_.phase_took(Phase::test, seconds(1));
    text = metrics_.text();
    EXPECT_THAT(text, HasSubstr(R"(release="r0",test_phase="test"} 2)"));
}

TEST_F(AgentMetricsTest, CountsBytesAndPolls) {
    metrics_.masked(1000);
    metrics_.masked(24);
    metrics_.polled(milliseconds(30));
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr("trebuchet_masked_bytes_total{agent_id=\"audino\"} 1024\n"));
    EXPECT_THAT(text, HasSubstr("trebuchet_poll_duration_seconds_bucket{agent_id=\"audino\",le=\"0.025\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("trebuchet_poll_duration_seconds_bucket{agent_id=\"audino\",le=\"0.05\"} 1\n"));
}

TEST_F(AgentMetricsTest, ShowsOneStateAtATime) {
    metrics_.state_is("waiting");
    metrics_.state_is("offline");
    EXPECT_EQ(count(metrics_.text(), "\ntrebuchet_agent_state{"), 11U);
    EXPECT_EQ(count(metrics_.text(), "\"} 1\n"), 2U);  // and the info
    EXPECT_THAT(metrics_.text(), HasSubstr("trebuchet_agent_state{agent_id=\"audino\",state=\"offline\"} 1\n"));
    metrics_.state_is("on\"fire");
    EXPECT_THAT(metrics_.text(), Not(HasSubstr("fire")));
}

TEST_F(AgentMetricsTest, AsksForTheUploadLagAtEachScrape) {
    auto lag = milliseconds(1500);
    metrics_.watch_upload_lag([&] { return lag; });
    EXPECT_THAT(metrics_.text(), HasSubstr("trebuchet_upload_lag_seconds{agent_id=\"audino\"} 1.5\n"));
    lag = milliseconds(2500);
    EXPECT_THAT(metrics_.text(), HasSubstr("trebuchet_upload_lag_seconds{agent_id=\"audino\"} 2.5\n"));
    metrics_.watch_upload_lag(nullptr);
    EXPECT_THAT(metrics_.text(), HasSubstr("trebuchet_upload_lag_seconds{agent_id=\"audino\"} 0\n"));
}

TEST_F(AgentMetricsTest, AsksForTheAgesAtEachScrape) {
    metrics_.watch_job_quiet([] { return seconds(7); });
    metrics_.watch_token_age([] { return seconds(8); });
    metrics_.token_lifetime(seconds(9));
    const auto text = metrics_.text();
    EXPECT_THAT(text, HasSubstr("trebuchet_job_quiet_seconds{agent_id=\"audino\"} 7\n"));
    EXPECT_THAT(text, HasSubstr("trebuchet_token_age_seconds{agent_id=\"audino\"} 8\n"));
    EXPECT_THAT(text, HasSubstr("trebuchet_token_lifetime_seconds{agent_id=\"audino\"} 9\n"));
}

TEST_F(AgentMetricsTest, TellsOfAServerThatDoesNotAnswerForAWhile) {
    metrics_.server_failed();
    metrics_.server_failed();
    EXPECT_EQ(metrics_.problem(), "");
    metrics_.server_failed();
    EXPECT_EQ(metrics_.problem(), "the server did not answer the last 3 requests");
    EXPECT_THAT(metrics_.text(), HasSubstr("trebuchet_failed_requests_total{agent_id=\"audino\"} 3\n"));
    metrics_.server_answered();
    EXPECT_EQ(metrics_.problem(), "");
}

TEST_F(AgentMetricsTest, SaysWhenTheLoopWasHeldForMoreThanASecond) {
    metrics_.loop_lagged(std::chrono::milliseconds(900), std::chrono::system_clock::time_point());
    EXPECT_EQ(metrics_.lag_note(), "");
    metrics_.loop_lagged(std::chrono::milliseconds(2'340), std::chrono::system_clock::time_point());
    EXPECT_THAT(metrics_.lag_note(), StartsWith("the event loop was blocked for 2.3 s at 1970-01-01T00:00:00"));
    EXPECT_EQ(metrics_.problem(), "");
    EXPECT_THAT(metrics_.text(), HasSubstr("trebuchet_loop_lag_seconds_bucket{agent_id=\"audino\",le=\"1\"} 1\n"));
    EXPECT_THAT(metrics_.text(), HasSubstr("trebuchet_loop_lag_seconds_count{agent_id=\"audino\"} 2\n"));
}

}  // namespace
}  // namespace trebuchet
