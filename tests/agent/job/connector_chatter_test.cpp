#include "agent/job/connector_chatter.hpp"

#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

const std::string line =
    "2026-11-20 20:31:00,123 board-1 WARNING: DEVICE CONNECTOR: Serial console at mux:2000: the connection was "
    "closed\n";

TEST(ConnectorChatter, IsWhatConnectorsSayOfTheirSerialConsole) {
    EXPECT_TRUE(is_connector_chatter(line));
    EXPECT_TRUE(is_connector_chatter(line + line));
    EXPECT_TRUE(
        is_connector_chatter("2026-11-20 20:31:00,123 board-1 ERROR: DEVICE CONNECTOR: Error connecting to serial "
                             "logging server\n"));
}

TEST(ConnectorChatter, IsNothingElse) {
    EXPECT_FALSE(is_connector_chatter(""));
    EXPECT_FALSE(is_connector_chatter("\n"));
    EXPECT_FALSE(is_connector_chatter(line + "ok 1\n"));
    EXPECT_FALSE(is_connector_chatter("ok 1\n" + line));
    EXPECT_FALSE(is_connector_chatter(line + "ok"));
    EXPECT_FALSE(is_connector_chatter("2026-11-20 20:31:00,123 board-1 INFO: DEVICE CONNECTOR: Running: make check\n"));
    EXPECT_FALSE(is_connector_chatter(std::string(1000, 'x') + line));
}

}  // namespace
}  // namespace trebuchet
