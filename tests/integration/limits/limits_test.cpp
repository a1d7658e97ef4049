#include "tests/integration/limits/limits_fixture.hpp"

namespace trebuchet::harness {
namespace {

TEST_F(Limits, AHundredMegabytesOfOutputTakeLittleMemory) {
    agent.on("test", "yes 'a line of a test that talks a lot, and of what it has to say' | head -c 100000000");
    server.store_secret("token", "a secret value");
    const auto id = server.post_job(job({{"test_data", {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "token"}}}}}}));
    agent.start();
    // Not by the result, which contains all of the output.
    ASSERT_TRUE(server.agent_is(agent_id, "test")) << agent.log();
    ASSERT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();
    EXPECT_GE(server.ask(clients::submitter, "GET", "/v1/result/" + id + "/log/output?phase=test").body.size(),
              100'000'000U);
    expect_little_memory("100 MB of output");
}

TEST_F(Limits, ALargeArtifactTakesLittleMemory) {
    upload_artifact("200M");
}

}  // namespace
}  // namespace trebuchet::harness
