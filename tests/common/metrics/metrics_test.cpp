#include "common/metrics/metrics.hpp"

#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const MetricFamily jobs{"jobs_total", "Jobs taken"};

TEST(Metrics, ShowsNothingBeforeTheFirstSeries) {
    EXPECT_EQ(Metrics().text(), "");
}

TEST(Metrics, ShowsACounterWithItsHelpAndType) {
    Metrics metrics;
    const auto counter = metrics.counter(jobs, {{"agent_id", "audino"}});
    EXPECT_EQ(metrics.text(),
              "# HELP jobs_total Jobs taken\n"
              "# TYPE jobs_total counter\n"
              "jobs_total{agent_id=\"audino\"} 0\n");
    counter.add();
    counter.add(2);
    EXPECT_THAT(metrics.text(), HasSubstr("jobs_total{agent_id=\"audino\"} 3\n"));
}

TEST(Metrics, ReturnsTheSameSeriesForTheSameLabels) {
    Metrics metrics;
    metrics.counter(jobs, {{"agent_id", "audino"}}).add();
    metrics.counter(jobs, {{"agent_id", "audino"}}).add();
    metrics.counter(jobs, {{"agent_id", "bidoof"}}).add();
    const auto text = metrics.text();
    EXPECT_THAT(text, HasSubstr("jobs_total{agent_id=\"audino\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("jobs_total{agent_id=\"bidoof\"} 1\n"));
    EXPECT_EQ(text.find("# TYPE"), text.rfind("# TYPE"));
}

TEST(Metrics, AGaugeGoesUpAndDown) {
    Metrics metrics;
    const auto gauge = metrics.gauge({"lag_seconds", "Lag"}, {});
    gauge.set(2.5);
    EXPECT_THAT(metrics.text(), HasSubstr("# TYPE lag_seconds gauge\nlag_seconds 2.5\n"));
    gauge.set(-1);
    EXPECT_THAT(metrics.text(), HasSubstr("lag_seconds -1\n"));
}

TEST(Metrics, AHistogramCountsIntoCumulativeBuckets) {
    Metrics metrics;
    const auto histogram = metrics.histogram({"took_seconds", "Time"}, {{"phase", "test"}}, {60, 120});
    histogram.observe(60);
    histogram.observe(61);
    histogram.observe(1000);
    EXPECT_EQ(metrics.text(),
              "# HELP took_seconds Time\n"
              "# TYPE took_seconds histogram\n"
              "took_seconds_count{phase=\"test\"} 3\n"
              "took_seconds_sum{phase=\"test\"} 1121\n"
              "took_seconds_bucket{phase=\"test\",le=\"60\"} 1\n"
              "took_seconds_bucket{phase=\"test\",le=\"120\"} 2\n"
              "took_seconds_bucket{phase=\"test\",le=\"+Inf\"} 3\n");
}

TEST(Metrics, EscapesLabelValues) {
    Metrics metrics;
    metrics.counter(jobs, {{"agent_id", "a\"b\\c"}}).add();
    EXPECT_THAT(metrics.text(), HasSubstr(R"(jobs_total{agent_id="a\"b\\c"} 1)"));
}

TEST(Metrics, EscapesNewlinesInLabelValues) {
    Metrics metrics;
    metrics.counter(jobs, {{"agent_id", "a\nfake_total 7\r\x1b[1m"}}).add();
    EXPECT_THAT(metrics.text(), HasSubstr("jobs_total{agent_id=\"a fake_total 7  [1m\"} 1\n"));
}

TEST(Metrics, MakesLabelValuesValidUtf8) {
    Metrics metrics;
    metrics.counter(jobs, {{"agent_id", "\xFFnaïve"}}).add();
    EXPECT_THAT(metrics.text(), HasSubstr("\"\xEF\xBF\xBDnaïve\""));
}

TEST(Metrics, CutsLongLabelValuesBetweenCharacters) {
    Metrics metrics;
    metrics.counter(jobs, {{"agent_id", std::string(127, 'x') + "ïy"}}).add();
    metrics.counter(jobs, {{"agent_id", std::string(128, 'y')}}).add();
    metrics.counter(jobs, {{"agent_id", std::string(1000, '\xFF')}}).add();
    const auto text = metrics.text();
    EXPECT_THAT(text, HasSubstr("\"" + std::string(127, 'x') + "\""));
    EXPECT_THAT(text, HasSubstr("\"" + std::string(128, 'y') + "\""));
    EXPECT_LT(text.size(), 1000U);
}

TEST(Metrics, WritesNumbersThatParseExactly) {
    Metrics metrics;
    metrics.gauge({"a_seconds", "A"}, {}).set(0.1);
    metrics.counter({"b_total", "B"}, {}).add(12345678901.0);
    const auto text = metrics.text();
    const auto written = text.find("\na_seconds ");
    ASSERT_NE(written, std::string::npos);
    EXPECT_EQ(std::stod(text.substr(written + 11)), 0.1);
    EXPECT_THAT(text, HasSubstr("b_total 12345678901\n"));
}

TEST(Metrics, EndsEachLine) {
    Metrics metrics;
    metrics.counter(jobs, {}).add();
    EXPECT_THAT(metrics.text(), EndsWith("\n"));
    EXPECT_THAT(metrics.text(), Not(HasSubstr("\n\n")));
}

TEST(Metrics, ThrowsForInvalidNames) {
    Metrics metrics;
    EXPECT_THROW(static_cast<void>(metrics.counter({"with space", "x"}, {})), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(metrics.counter(jobs, {{"with-dash", "x"}})), std::invalid_argument);
    static_cast<void>(metrics.counter(jobs, {}));
    EXPECT_THROW(static_cast<void>(metrics.gauge(jobs, {})), std::invalid_argument);
}

}  // namespace
}  // namespace trebuchet
