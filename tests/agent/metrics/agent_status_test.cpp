#include "agent/metrics/agent_status.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using Time = AgentStatus::Time;
using std::chrono::hours;
using std::chrono::seconds;

AgentStatus whole() {
    AgentStatus status;
    status.agent_id = "rpi4-1";
    status.version = "0.2.0";
    status.server = "https://lab";
    status.queues = {"rpi4", "arm64"};
    status.pid = 4711;
    status.start_time = 12345678901;
    status.state = "test";
    status.comment = "a \"comment\"";
    status.state_since = Time(seconds(1'800'000'000));
    status.job = "j1";
    status.phase = "test";
    status.phase_since = Time(seconds(1'800'000'001));
    status.last_output = Time(seconds(1'800'000'002));
    status.undelivered_bytes = 1U << 20;
    status.undelivered_since = Time(seconds(1'800'000'003));
    status.last_error = "no";
    status.last_error_at = Time(seconds(0));
    return status;
}

TEST(AgentStatusJson, IsReadAsItWasWritten) {
    EXPECT_EQ(parse_status(status_json(whole())), whole());
    EXPECT_EQ(parse_status(status_json({})), AgentStatus{});
}

TEST(AgentStatusJson, OfAnotherShapeHasDefaults) {
    const auto status = parse_status(
        R"({"agent_id": 7, "queues": [1, "q"], "pid": 99999999999, "start_time": -1, "state_since": 1e300, "job": null})");
    ASSERT_TRUE(status);
    AgentStatus expected;
    expected.queues = {"q"};
    EXPECT_EQ(*status, expected);
}

TEST(AgentStatusJson, ThatIsNoObjectIsRefused) {
    const std::vector<std::string> all{"", "{", "[]", "null", std::string(60'000, '['), "{\"a\": \xff}"};
    for (const auto& text : all) EXPECT_FALSE(parse_status(text)) << text.substr(0, 20);
}

TEST(ShownDuration, IsRoundedToOneUnit) {
    EXPECT_EQ(shown_duration(seconds(-5)), "0 s");
    EXPECT_EQ(shown_duration(seconds(119)), "119 s");
    EXPECT_EQ(shown_duration(seconds(121)), "2 min");
    EXPECT_EQ(shown_duration(hours(47)), "47 h");
    EXPECT_EQ(shown_duration(hours(49)), "2 d");
}

TEST(StatusFilePlace, IsAFolderOfTheAgent) {
    EXPECT_EQ(status_file("/run/trebuchet-status", "rpi4-1"), "/run/trebuchet-status/rpi4-1/status.json");
}

}  // namespace
}  // namespace trebuchet
