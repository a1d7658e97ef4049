#include "tests/integration/disk/disk.hpp"

namespace trebuchet::harness {

INSTANTIATE_TEST_SUITE_P(AnyChange, DiskFullFrom, ::testing::Range(1, 150));

}  // namespace trebuchet::harness
