#include "tests/integration/crash/crash_matrix.hpp"

namespace trebuchet::harness {

/// Of crash_matrix_long_test.cpp as much as fits into three minutes.
INSTANTIATE_TEST_SUITE_P(SomeSteps, CrashMatrix, ::testing::ValuesIn(crashes_at_steps(3)), name_of_crash);
INSTANTIATE_TEST_SUITE_P(SomeRecoveries, CrashMatrix, ::testing::ValuesIn(crashes_of_recovery(4)), name_of_crash);
INSTANTIATE_TEST_SUITE_P(SomeTimes, CrashMatrix, ::testing::ValuesIn(crashes_at_random(8)), name_of_crash);

}  // namespace trebuchet::harness
