#include "tests/integration/limits/flapping.hpp"

#include <gtest/gtest.h>

namespace trebuchet::harness {
namespace {

TEST(FlappingLong, LosesNoJobAndLeaksNothing) {
    flap({.rounds = 20, .polls = 500, .jobs = 25, .warm_up = 2});
}

}  // namespace
}  // namespace trebuchet::harness
