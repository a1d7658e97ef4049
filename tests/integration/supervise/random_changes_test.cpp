#include "tests/integration/supervise/random_changes.hpp"

namespace trebuchet::harness {

INSTANTIATE_TEST_SUITE_P(Few, SuperviseThroughChanges, ::testing::Values(RandomChanges{1, 8}), name_of_changes);

}  // namespace trebuchet::harness
