#include "tests/agent/daemon/daemon_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

/// A daemon that a guard holds back from the start, and that is stopped at its fourth poll.
class GuardedDaemon : public DaemonFixture {
  protected:
    GuardedDaemon() {
        held_back_ = HeldBack{Guard::disk, "/run is full"};
        stop_at(poll(4));
    }
};

TEST_F(GuardedDaemon, TakesNoJobAndSaysWhyOnce) {
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.calls["take_job"], 0);
    EXPECT_THAT(states(), ElementsAre("waiting", "waiting No jobs are taken: /run is full"));
    EXPECT_THAT(metrics_.problem(), HasSubstr("/run is full"));
}

TEST_F(GuardedDaemon, TakesJobsAgainWhenTheReasonIsGone) {
    server_.jobs = {R"({"job_id": "j1"})"};
    stop_at(job_request(2));
    server_.on_effect = [this](const json& effect) {
        if (effect == json{"agent_state", "waiting", "No jobs are taken: /run is full"}) held_back_.reset();
    };
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(server_.agent.comment, "");
    EXPECT_EQ(metrics_.problem(), "");
}

TEST_F(GuardedDaemon, TellsOfAnotherReason) {
    server_.on_effect = [this](const json& effect) {
        if (effect == json{"agent_state", "waiting", "No jobs are taken: /run is full"}) {
            held_back_ = HeldBack{Guard::clock, "it is 1970"};
        }
    };
    run();
    EXPECT_THAT(states(), ElementsAre("waiting", "waiting No jobs are taken: /run is full",
                                      "waiting No jobs are taken: it is 1970"));
}

TEST_F(GuardedDaemon, SaysTheSameReasonOnceThoughItsFiguresChange) {
    server_.is_down = [this](const std::string& call) {
        if (call == "read_agent") held_back_->reason += "x";
        return false;
    };
    run();
    EXPECT_EQ(states().size(), 2U);
}

TEST_F(GuardedDaemon, LeavesAnAdministratorsCommentAlone) {
    server_.on_effect = [this](const json& effect) {
        if (effect == json{"register"}) server_.agent = record("waiting", "on bench 3");
    };
    run();
    EXPECT_THAT(states(), ElementsAre("waiting"));
    EXPECT_EQ(server_.agent.comment, "on bench 3");
    EXPECT_EQ(server_.calls["take_job"], 0);
}

TEST_F(GuardedDaemon, SaysWhyInItsHealthWhenTheServerRefusesIt) {
    server_.is_down = [this](const std::string& call) { return call == "read_agent" && server_.is_behind(poll(1)); };
    run();
    EXPECT_EQ(metrics_.problem(), "no jobs are taken: /run is full");
}

TEST_F(GuardedDaemon, TriesAgainToSayWhy) {
    server_.is_down = [this](const std::string& call) {
        const bool first_to_say_why = call == "post_agent_state" && server_.calls[call] == 2;
        return first_to_say_why;
    };
    run();
    EXPECT_EQ(server_.agent.comment, "No jobs are taken: /run is full");
}

}  // namespace
}  // namespace trebuchet
