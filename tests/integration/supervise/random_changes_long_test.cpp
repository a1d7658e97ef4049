#include "tests/integration/supervise/random_changes.hpp"

namespace trebuchet::harness {

INSTANTIATE_TEST_SUITE_P(Many, SuperviseThroughChanges,
                         ::testing::Values(RandomChanges{2, 50}, RandomChanges{3, 50}, RandomChanges{4, 50}),
                         name_of_changes);

}  // namespace trebuchet::harness
