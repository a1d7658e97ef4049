#include "agent/job/exit_codes.hpp"

#include "provision/process/exit_codes.hpp"

#include <gtest/gtest.h>

namespace {

// The two programs share no code, so each defines this exit code.
TEST(ExitCodes, OfALostDeviceIsTheSameInAgentAndConnector) {
    EXPECT_EQ(trebuchet::recovery_failed_code, trebuchet::exit_recovery_failed);
}

}  // namespace
