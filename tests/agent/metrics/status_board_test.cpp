#include "agent/metrics/status_board.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/masked.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::seconds;
using Change = StatusBoard::Change;

class StatusBoardTest : public testing::Test {
  protected:
    StatusBoardTest() {
        board_.on_change([this](Change change) {
            ++changes_;
            last_ = change;
        });
    }

    FakeClock clock_;
    StatusBoard board_{clock_};
    int changes_ = 0;
    Change last_ = Change::now;
};

TEST_F(StatusBoardTest, SaysSinceWhenTheAgentIsInItsState) {
    const auto began = clock_.wall_time();
    board_.state_is("waiting", {});
    clock_.advance(seconds(10));
    board_.state_is("waiting", masked("a comment"));
    EXPECT_EQ(board_.status().state_since, began);
    EXPECT_EQ(board_.status().comment, "a comment");
    board_.state_is("offline", {});
    EXPECT_EQ(board_.status().state_since, clock_.wall_time());
    EXPECT_EQ(changes_, 3);
    board_.state_is("offline", {});
    EXPECT_EQ(changes_, 3);
}

TEST_F(StatusBoardTest, SaysHowLongTheRunningJobHasBeenQuiet) {
    clock_.advance(seconds(10));
    EXPECT_EQ(board_.quiet_time(), seconds(0));
    Job job;
    job.id = "j1";
    board_.job_taken(job);
    board_.phase_runs(Phase::test);
    clock_.advance(seconds(20));
    EXPECT_EQ(board_.quiet_time(), seconds(20));
    board_.output_came();
    clock_.advance(seconds(5));
    EXPECT_EQ(board_.quiet_time(), seconds(5));
    board_.phase_ran(Phase::test, {{Phase::test, 0}});
    board_.job_finished({}, false);
    EXPECT_EQ(board_.quiet_time(), seconds(0));
}

TEST_F(StatusBoardTest, FollowsAJobThroughItsPhases) {
    Job job;
    job.id = "j1";
    board_.job_taken(job);
    board_.phase_runs(Phase::test);
    board_.output_came();
    EXPECT_EQ(board_.status().job, "j1");
    EXPECT_EQ(board_.status().phase, "test");
    EXPECT_EQ(board_.status().state, "test");
    EXPECT_EQ(board_.status().phase_since, clock_.wall_time());
    EXPECT_EQ(board_.status().last_output, clock_.wall_time());
    board_.phase_ran(Phase::test, {{Phase::test, 3}});
    ASSERT_EQ(board_.phases().size(), 1U);
    EXPECT_EQ(board_.phases()[0].exit_code, 3);
    EXPECT_EQ(board_.phases()[0].ended, clock_.wall_time());
    board_.job_finished({}, false);
    EXPECT_EQ(board_.status().job, "");
    EXPECT_EQ(board_.status().phase, "");
    EXPECT_EQ(board_.status().phase_since, std::nullopt);
}

TEST_F(StatusBoardTest, ShowsWhatChangesOftenALittleLater) {
    board_.output_came();
    EXPECT_EQ(last_, Change::soon);
    board_.state_is("test", {});
    EXPECT_EQ(last_, Change::now);
    board_.error(masked("a\nb"));
    EXPECT_EQ(last_, Change::soon);
    EXPECT_EQ(board_.status().last_error, "a\\nb");
}

TEST_F(StatusBoardTest, SaysSinceWhenSomethingWaitsForTheServer) {
    board_.undelivered(0);
    EXPECT_EQ(changes_, 0);
    const auto began = clock_.wall_time();
    board_.undelivered(7);
    clock_.advance(seconds(10));
    board_.undelivered(8);
    EXPECT_EQ(board_.status().undelivered_since, began);
    board_.undelivered(0);
    EXPECT_EQ(board_.status().undelivered_since, std::nullopt);
}

TEST_F(StatusBoardTest, KeepsStateAndErrorOverAReload) {
    board_.begin({});
    EXPECT_EQ(board_.status().state, "starting");
    board_.state_is("offline", masked("why"));
    board_.error(masked("no"));
    AgentStatus identity;
    identity.queues = {"new"};
    board_.begin(identity);
    EXPECT_EQ(board_.status().state, "offline");
    EXPECT_EQ(board_.status().comment, "why");
    EXPECT_EQ(board_.status().last_error, "no");
    EXPECT_EQ(board_.status().queues.front(), "new");
}

}  // namespace
}  // namespace trebuchet
