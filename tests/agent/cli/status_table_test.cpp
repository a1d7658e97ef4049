#include "agent/cli/status_table.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const AgentStatus::Time now{seconds(1'800'000'000)};

AgentRow running() {
    AgentRow row{"rpi4-1", Health::running};
    row.status.state = "test";
    row.status.state_since = now - minutes(3);
    row.status.job = "j1";
    row.status.phase = "test";
    row.status.phase_since = now - minutes(3);
    row.status.last_output = now - seconds(4);
    row.status.queues = {"rpi4", "arm64"};
    row.status.version = "0.2.0";
    return row;
}

TEST(AgentHealth, FollowsFromProcessAndSignOfLife) {
    AgentStatus status;
    status.state = "waiting";
    EXPECT_EQ(health_of(status, seconds(16), true), Health::running);
    EXPECT_EQ(health_of(status, seconds(61), true), Health::hangs);
    EXPECT_EQ(health_of(status, seconds(1), false), Health::dead);
    status.state = stopped_state;
    EXPECT_EQ(health_of(status, hours(9), false), Health::stopped);
}

TEST(StatusTable, HasALineForEachAgent) {
    AgentRow away{"rpi4-2", Health::running};
    away.status.state = "maintenance";
    away.status.state_since = now - hours(3);
    away.status.comment = "Paused on the host: new cable";
    away.status.undelivered_bytes = 5000;
    away.status.undelivered_since = now - minutes(30);
    away.status.last_error = "the server is down";
    away.status.last_error_at = now - seconds(10);
    EXPECT_EQ(status_table({running(), away}, now),
              "AGENT   STATE              JOB  PHASE         LAST OUTPUT  QUEUES      UNDELIVERED     VERSION\n"
              "rpi4-1  test (3 min)       j1   test (3 min)  4 s          rpi4,arm64                  0.2.0\n"
              "rpi4-2  maintenance (3 h)                                              4 KiB (30 min)\n"
              "    comment: Paused on the host: new cable\n"
              "    last error, 10 s ago: the server is down\n");
}

TEST(StatusTable, SaysWhatDoesNotRun) {
    auto dead = running();
    dead.health = Health::dead;
    auto hangs = running();
    hangs.health = Health::hangs;
    AgentRow unreadable{"x"};
    unreadable.problem = "it is a FIFO";
    const auto table = status_table({dead, hangs, AgentRow{"new"}, unreadable}, now);
    EXPECT_NE(table.find("DEAD, was test"), std::string::npos);
    EXPECT_NE(table.find("HANGS in test"), std::string::npos);
    EXPECT_NE(table.find("new     no status"), std::string::npos);
    EXPECT_NE(table.find("unreadable\n    it is a FIFO\n"), std::string::npos);
}

TEST(StatusRowsJson, HasTheHealthBesideTheStatus) {
    const auto rows = nlohmann::json::parse(status_rows_json({running()}));
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0]["health"], "running");
    EXPECT_EQ(rows[0]["name"], "rpi4-1");
    EXPECT_EQ(rows[0]["job"], "j1");
}

}  // namespace
}  // namespace trebuchet
