#include "tests/integration/limits/flapping.hpp"

#include <gtest/gtest.h>

namespace trebuchet::harness {
namespace {

TEST(Flapping, LosesNoJobAndLeaksNothing) {
    flap({.rounds = 3, .polls = 40, .jobs = 4, .warm_up = 1});
}

}  // namespace
}  // namespace trebuchet::harness
