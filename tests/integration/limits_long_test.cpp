#include "tests/integration/limits_fixture.hpp"

namespace trebuchet::harness {
namespace {

TEST_F(Limits, AnArtifactOfAGigabyteTakesLittleMemory) {
    upload_artifact("1G");
}

}  // namespace
}  // namespace trebuchet::harness
