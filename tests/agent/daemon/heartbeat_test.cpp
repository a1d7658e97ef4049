#include "tests/agent/daemon/daemon_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::hours;
using testing::ElementsAre;

/// An idle agent, and what the server says about when it last heard of it.
class Heartbeat : public DaemonFixture {
  protected:
    /// Before the second poll, time goes on by `by`; `updated_at` stays where it was. Ends after the fourth poll.
    void run_on(std::chrono::system_clock::duration by, std::chrono::system_clock::time_point updated_at) {
        server_.at(job_request(1), [this, by, updated_at] {
            clock_.advance(std::chrono::duration_cast<std::chrono::seconds>(by));
            server_.agent.updated_at = updated_at;
        });
        when_idle([this] {
            if (server_.is_behind(job_request(4))) daemon_.stop();
        });
        run();
    }
};

TEST_F(Heartbeat, IsPostedOnceWhenTheServerHeardNothingForADay) {
    run_on(hours(24), clock_.wall_time());
    EXPECT_THAT(states(), ElementsAre("waiting", "waiting"));
}

TEST_F(Heartbeat, IsNotPostedBefore) {
    run_on(hours(23), clock_.wall_time());
    EXPECT_THAT(states(), ElementsAre("waiting"));
}

TEST_F(Heartbeat, IsNotPostedWhenAnythingElseWasHeardMeanwhile) {
    run_on(hours(25), clock_.wall_time() + hours(24));
    EXPECT_THAT(states(), ElementsAre("waiting"));
}

TEST_F(Heartbeat, IsNotPostedAtEachPollToAServerWhoseClockIsADayBehind) {
    run_on(std::chrono::minutes(1), clock_.wall_time() - hours(30));
    EXPECT_THAT(states(), ElementsAre("waiting"));
}

}  // namespace
}  // namespace trebuchet
