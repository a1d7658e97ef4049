#include "agent/daemon/orders.hpp"

#include "tests/fakes/fake_job_server.hpp"

#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

AgentRecord with_mode(const std::string& mode, const std::string& state) {
    auto agent = record(state, "comment");
    agent.mode = mode;
    return agent;
}

TEST(OrdersTest, StandInTheStateOfOlderServers) {
    Orders orders;
    EXPECT_EQ(orders.read(record("offline", "")), Order::offline);
    EXPECT_EQ(orders.read(record("maintenance", "")), Order::maintenance);
    EXPECT_EQ(orders.read(record("restart", "")), Order::restart);
    for (const auto* state : {"waiting", "test", "", "nonsense"}) {
        EXPECT_EQ(orders.read(record(state, "")), Order::work) << state;
    }
}

TEST(OrdersTest, StandInTheModeOfNewerServersWhateverTheStateIs) {
    for (const auto* state : {"waiting", "offline", "test"}) {
        Orders orders;
        EXPECT_EQ(orders.read(with_mode("offline", state)), Order::offline);
        EXPECT_EQ(orders.read(with_mode("maintenance", state)), Order::maintenance);
        EXPECT_EQ(orders.read(with_mode("restart", state)), Order::restart);
    }
    Orders orders;
    EXPECT_EQ(orders.read(with_mode("online", "waiting")), Order::work);
    EXPECT_EQ(orders.read(with_mode("online", "offline")), Order::offline) << "exit 46 put it there";
}

TEST(OrdersTest, EndWhenTheModeIsOnlineAgainAlthoughTheAgentPostedTheState) {
    Orders orders;
    EXPECT_EQ(orders.read(with_mode("offline", "waiting")), Order::offline);
    EXPECT_EQ(orders.read(with_mode("online", "offline")), Order::work);
    EXPECT_EQ(orders.read(with_mode("online", "offline")), Order::work) << "until the agent posted something else";
    EXPECT_EQ(orders.read(with_mode("online", "waiting")), Order::work);
    EXPECT_EQ(orders.read(with_mode("online", "offline")), Order::offline) << "and this is somebody's";
}

TEST(OrdersTest, ARestartThatTheModeStillShowsIsDone) {
    Orders orders;
    EXPECT_EQ(orders.at_start(with_mode("restart", "restart")), Order::work);
    EXPECT_EQ(orders.read(with_mode("restart", "waiting")), Order::work);
    EXPECT_EQ(orders.read(with_mode("online", "waiting")), Order::work);
    EXPECT_EQ(orders.read(with_mode("restart", "waiting")), Order::restart);
}

TEST(OrdersTest, AtTheStartOnlyOfflineAndMaintenanceAreKept) {
    EXPECT_EQ(Orders().at_start(record("offline", "broken")), Order::offline);
    EXPECT_EQ(Orders().at_start(record("maintenance", "")), Order::maintenance);
    EXPECT_EQ(Orders().at_start(with_mode("offline", "waiting")), Order::offline);
    for (const auto* state : {"", "restart", "provision", "waiting"}) {
        EXPECT_EQ(Orders().at_start(record(state, "")), Order::work) << state;
    }
    EXPECT_EQ(Orders().at_start(record("offline", "Restart signal detected from supervisor process")), Order::work);
}

TEST(OrdersTest, InMidJobTheyStandUntilTheyAreTakenBack) {
    Orders orders;
    orders.note(record("test", ""));
    EXPECT_FALSE(orders.standing());
    orders.note(record("offline", "new cable"));
    orders.note(record("reserve", "new cable"));
    ASSERT_TRUE(orders.standing()) << "the agent posted the next phase over it";
    EXPECT_EQ(orders.standing()->order, Order::offline);
    EXPECT_EQ(orders.standing()->comment, "new cable");
    orders.note(record("waiting", ""));
    EXPECT_FALSE(orders.standing());
    orders.note(with_mode("maintenance", "test"));
    EXPECT_EQ(orders.standing()->order, Order::maintenance);
    orders.note(with_mode("online", "reserve"));
    EXPECT_FALSE(orders.standing());
}

TEST(OrdersTest, ARestartBySignalStandsWhateverTheServerSays) {
    Orders orders;
    orders.restart_by_signal();
    orders.note(record("waiting", ""));
    const auto order = orders.take_standing();
    ASSERT_TRUE(order);
    EXPECT_EQ(order->order, Order::restart);
    EXPECT_EQ(order->comment, "Restart signal detected from supervisor process");
    EXPECT_TRUE(orders.restart_is_signalled());
}

TEST(OrdersTest, AnOrderToStayAwayStandsBesideARestartBySignal) {
    Orders orders;
    orders.restart_by_signal();
    orders.note(record("offline", "new cable"));
    const auto order = orders.take_standing();
    ASSERT_TRUE(order);
    EXPECT_EQ(order->order, Order::offline);
    EXPECT_EQ(order->comment, "new cable");
    EXPECT_TRUE(orders.restart_is_signalled());
}

}  // namespace
}  // namespace trebuchet
