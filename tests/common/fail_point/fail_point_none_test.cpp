#include "common/fail_point/fail_point.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(FailPointOfShippedPrograms, DoesNothing) {
    ::setenv("TREBUCHET_FAIL_POINT", "here", 1);
    fail_point("here");
    SUCCEED();
}

}  // namespace
}  // namespace trebuchet
