#include "agent/job/exit_codes.hpp"

#include "provision/process/exit_codes.hpp"

#include <gtest/gtest.h>

namespace {

// They are two programs, and neither includes the other: this number is all that they agree on.
TEST(ExitCodes, AgentAndConnectorAgreeOnTheOneForALostDevice) {
    EXPECT_EQ(trebuchet::recovery_failed_code, trebuchet::exit_recovery_failed);
}

}  // namespace
