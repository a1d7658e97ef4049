#include "tests/integration/crash/crash_matrix.hpp"

namespace trebuchet::harness {
namespace {

/// A server that accepts a log fragment and does not answer until the agent gives up waiting.
Crash stalled(std::chrono::milliseconds after) {
    Crash crash{"StallsAndAfter" + std::to_string(after.count()) + "Ms", "", after};
    crash.faults = {{{"what", "delay"}, {"value", 31'000}, {"method", "POST"}, {"target", "/v1/result/*/log/output"}}};
    return crash;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(AllSteps, CrashMatrix, ::testing::ValuesIn(crashes_at_steps(1)), name_of_crash);
INSTANTIATE_TEST_SUITE_P(AllRecoveries, CrashMatrix, ::testing::ValuesIn(crashes_of_recovery(1)), name_of_crash);
INSTANTIATE_TEST_SUITE_P(AllTimes, CrashMatrix, ::testing::ValuesIn(crashes_at_random(100)), name_of_crash);
INSTANTIATE_TEST_SUITE_P(Stalls, CrashMatrix,
                         ::testing::Values(stalled(std::chrono::seconds(1)), stalled(std::chrono::seconds(5))),
                         name_of_crash);

}  // namespace trebuchet::harness
