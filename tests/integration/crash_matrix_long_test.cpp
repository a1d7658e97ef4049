#include "tests/integration/crash_matrix.hpp"

namespace trebuchet::harness {

INSTANTIATE_TEST_SUITE_P(AllSteps, CrashMatrix, ::testing::ValuesIn(crashes_at_steps(1)), name_of_crash);
INSTANTIATE_TEST_SUITE_P(AllRecoveries, CrashMatrix, ::testing::ValuesIn(crashes_of_recovery(1)), name_of_crash);
INSTANTIATE_TEST_SUITE_P(AllTimes, CrashMatrix, ::testing::ValuesIn(crashes_at_random(100)), name_of_crash);

}  // namespace trebuchet::harness
