#include "tests/integration/limits/limits_fixture.hpp"

namespace trebuchet::harness {
namespace {

TEST_F(Limits, AnArtifactOfAGigabyteTakesLittleMemory) {
    upload_artifact("1G");
}

TEST_F(Limits, ArtifactsOfTwoGigabytesThatAreLookedIntoTakeLittleMemory) {
    const auto id = run_test_phase(
        "mkdir artifacts && cd artifacts && truncate -s 1700M sparse && head -c 20M /dev/urandom > noise && "
        "yes 'a line of a log' | head -c 200M > log && tar cf - log | gzip -1 > log.tar.gz && "
        "gzip -1 < log.tar.gz > twice.gz && head -c 50M noise log > two");
    EXPECT_EQ(server.result(id)["test_status"], 0);
    EXPECT_EQ(server.ask(clients::submitter, "GET", "/v1/result/" + id + "/artifact").status, 200);
    expect_little_memory("artifacts of 2 GB");
}

}  // namespace
}  // namespace trebuchet::harness
