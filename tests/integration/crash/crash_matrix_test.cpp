#include "tests/integration/crash/crash_matrix.hpp"

namespace trebuchet::harness {

/// The part of crash_matrix_long_test.cpp that takes no more than three minutes.
INSTANTIATE_TEST_SUITE_P(SomeSteps, CrashMatrix, ::testing::ValuesIn(crashes_at_steps(3)), name_of_crash);
INSTANTIATE_TEST_SUITE_P(SomeRecoveries, CrashMatrix, ::testing::ValuesIn(crashes_of_recovery(4)), name_of_crash);
INSTANTIATE_TEST_SUITE_P(SomeTimes, CrashMatrix, ::testing::ValuesIn(crashes_at_random(8)), name_of_crash);

}  // namespace trebuchet::harness
