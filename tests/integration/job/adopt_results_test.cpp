#include "tests/integration/harness/lab_test.hpp"

#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace trebuchet::harness {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A result that the Python agent could not deliver before it was replaced.
class AdoptResults : public LabTest {
  protected:
    void SetUp() override {
        id_ = server.post_job({{"job_queue", "another"}});
        fs::create_directories(result() / "artifacts");
        std::ofstream(result() / "testflinger.json") << Json({{"job_id", id_}});
        std::ofstream(result() / "testflinger-outcome.json") << R"({"status": {"setup": 0, "test": 3}})";
        std::ofstream(result() / "artifacts/report.txt") << "all of it\n";
    }
    [[nodiscard]] fs::path result() const { return agent.results() / id_; }
    static Ending adopt(const fs::path& folder) { return run({TREBUCHET_AGENT, {"adopt-results", folder}}); }

    std::string id_;
};

TEST_F(AdoptResults, LetsTheAgentDeliverThem) {
    if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: needs root, from whom alone the agent takes the list";
    const auto adopted = adopt(agent.results());
    EXPECT_EQ(adopted.code, 0) << adopted.err;
    EXPECT_EQ(adopted.out, id_ + "\n");
    EXPECT_THAT(adopted.err, HasSubstr("results listed for delivery: 1. The running agent sends them"));
    agent.start();
    EXPECT_TRUE(server.reaches(id_, "complete")) << agent.log();
    EXPECT_EQ(server.result(id_)["test_status"], 3);
    EXPECT_EQ(server.artifacts(id_)["artifacts/report.txt"], "all of it\n");
    EXPECT_TRUE(eventually([&] { return !fs::exists(result()); }));
}

TEST_F(AdoptResults, AreLeftAloneWithoutIt) {
    agent.start();
    EXPECT_TRUE(agent.logs_text("trebuchet-agent adopt-results")) << agent.log();
    run_job({{"test_data", {{"test_cmds", "x"}}}});
    EXPECT_TRUE(fs::exists(result() / "testflinger-outcome.json"));
    EXPECT_TRUE(server.artifacts(id_).empty());
    EXPECT_EQ(server.job_state(id_), "waiting");
}

TEST_F(AdoptResults, SaysWhyAFolderCannotBeRead) {
    const auto adopted = adopt("/nonexistent/results");
    EXPECT_EQ(adopted.code, 2);
    EXPECT_THAT(adopted.out, IsEmpty());
    EXPECT_THAT(adopted.err, HasSubstr("Directory does not exist: /nonexistent/results"));
}

}  // namespace
}  // namespace trebuchet::harness
