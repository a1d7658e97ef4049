#include "agent/host/host_status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(HostStatus, IsReadAsItWasWritten) {
    const HostStatus written{12, 34, "gone", {{"a", "folder", 56, "why"}, {"", "b", 0, ""}}};
    const auto read = parse_host_status(host_status_json(written));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->pid, 12);
    EXPECT_EQ(read->start_time, 34U);
    EXPECT_EQ(read->problem, "gone");
    EXPECT_EQ(read->agents, written.agents);
}

TEST(HostStatus, TakesNothingForGrantedInAFile) {
    EXPECT_FALSE(parse_host_status("[]"));
    EXPECT_FALSE(parse_host_status("{"));
    const auto odd = parse_host_status(R"({"pid": -1, "agents": [1, {"agent_id": 2, "pid": 99999999999}]})");
    ASSERT_TRUE(odd);
    EXPECT_EQ(odd->pid, 0);
    EXPECT_THAT(odd->agents, ::testing::ElementsAre(AgentReport{}));
}

}  // namespace
}  // namespace trebuchet
