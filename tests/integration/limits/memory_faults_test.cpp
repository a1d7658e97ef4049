#include "tests/integration/limits/limits_fixture.hpp"

namespace trebuchet::harness {
namespace {

/// A job's document may have 16 MiB; a buffer that grows while it is received takes up to twice that.
constexpr std::size_t most_with_a_job = most_memory + std::size_t{32} * 1024;  // KiB
/// Endless headers are told from a job in one chunk only when the buffer, which doubles, exceeds twice that plus 4 MiB.
constexpr std::size_t most_with_a_head = most_memory + 2 * std::size_t{36} * 1024;  // KiB

/// The test phase waits, so the agent asks for the job's state.
class MemoryFaults : public Limits {
  protected:
    void expect_little_memory_with(Json fault, std::size_t most = most_with_a_job) {
        auto held = gate();
        agent.on("test", held.wait_command());
        for (const auto* target : {"/v1/oauth2/refresh", "/v1/agents/data/board-1"}) {
            fault["target"] = target;
            server.add_fault(fault);
        }
        agent.start();
        ASSERT_TRUE(server.faults_have_hit()) << agent.log();
        for (const auto* target : {"/v1/job", "/v1/result/*"}) {
            fault["target"] = target;
            fault["method"] = "GET";
            server.add_fault(fault);
        }
        server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
        const auto next = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
        ASSERT_TRUE(server.faults_have_hit()) << server.control("GET", "/faults") << agent.log();
        held.open();
        held.open();
        ASSERT_TRUE(server.reaches(next, "complete")) << agent.log();
        const auto peak = memory_of(agent.program().pid(), "VmHWM");
        std::cout << "with this fault: " << peak << " KiB at most\n";
        EXPECT_LE(peak, most);
    }
};

TEST_F(MemoryFaults, AnswersOfAHundredMegabytesTakeLittleMemory) {
    expect_little_memory_with({{"what", "huge-json"}, {"value", 100'000'000}});
}

TEST_F(MemoryFaults, EndlessHeadersTakeLittleMemory) {
    expect_little_memory_with({{"what", "huge-headers"}, {"value", 100'000'000}}, most_with_a_head);
}

TEST_F(MemoryFaults, TenMillionLevelsTakeLittleMemory) {
    expect_little_memory_with({{"what", "deep-json"}, {"value", 10'000'000}});
}

}  // namespace
}  // namespace trebuchet::harness
