#include "tests/integration/limits_fixture.hpp"

namespace trebuchet::harness {
namespace {

TEST_F(Limits, AHundredMegabytesOfOutputTakeLittleMemory) {
    const auto id =
        run_test_phase("yes 'a line of a test that talks a lot, and of what it has to say' | head -c 100000000");
    EXPECT_EQ(server.result(id)["test_status"], 0);
    EXPECT_GE(server.log(id, "test").size(), 100'000'000U);
    expect_little_memory("100 MB of output");
}

TEST_F(Limits, ALargeArtifactTakesLittleMemory) {
    upload_artifact("200M");
}

}  // namespace
}  // namespace trebuchet::harness
