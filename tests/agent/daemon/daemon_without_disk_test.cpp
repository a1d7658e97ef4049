#include "tests/agent/daemon/daemon_fixture.hpp"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

/// Where its folder for what lasts cannot be written to.
class DaemonWithoutADisk : public DaemonFixture {
  protected:
    DaemonWithoutADisk() {
        folder_.write("state", "in the way");
        command(Phase::test, "echo finished");
        server_.jobs = {R"({"job_id": "j1", "test_data": {"test_cmds": "x"}})", R"({"job_id": "j2"})"};
    }
};

/// By then the policy's tries are over, and the agent holds on to the job.
const Moment held_post = outcome_post(12);

TEST_F(DaemonWithoutADisk, KeepsWhatTheServerDoesNotTakeEitherUntilTheServerDoes) {
    server_.is_down = [this](const std::string& call) {
        const bool is_early = !server_.is_behind(outcome_post(13));
        EXPECT_TRUE(!is_early || server_.calls["take_job"] <= 1);
        return is_early && call == "post_outcome";
    };
    run();
    EXPECT_THAT(server_.output_of(Phase::test), HasSubstr("finished\n"));
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(server_.job_states["j2"], "complete");
}

TEST_F(DaemonWithoutADisk, KeepsWhatTheServerDoesNotTakeEitherUntilTheDiskDoes) {
    server_.is_down = [](const std::string& call) { return call == "post_outcome"; };
    server_.at(held_post, [this] { std::filesystem::remove(folder_ / "state"); });
    server_.jobs.pop_back();
    run();
    const JobFolder folder(loop_, folder_ / "state/jobs", "j1");
    ASSERT_TRUE(folder.record().outcome);
    EXPECT_EQ(folder.record().outcome->status.at(Phase::test), 0);
}

TEST_F(DaemonWithoutADisk, EndsWhenItIsToldToAlthoughNobodyTakesWhatIsLeft) {
    server_.is_down = [](const std::string& call) { return call == "post_outcome"; };
    stop_at(held_post);
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.calls["take_job"], 1);
}

}  // namespace
}  // namespace trebuchet
