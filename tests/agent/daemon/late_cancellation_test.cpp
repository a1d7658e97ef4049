#include "agent/daemon/server_reporter.hpp"
#include "tests/agent/daemon/daemon_fixture.hpp"
#include "tests/agent/daemon/reporter_fixture.hpp"
#include "tests/fakes/masked.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;

/// A job that is cancelled while a post about it fails. The next try must not overwrite that.
class LateCancellation : public ReporterFixture {
  protected:
    LateCancellation() { reporter_.job_taken(job_); }

    /// The job is cancelled as the first call of this name fails.
    void cancel_at(const std::string& name) {
        server_.is_down = [this, name](const std::string& call) {
            const bool now = call == name && server_.calls[call] == 1;
            if (now) server_.job_states["j1"] = "cancelled";
            return now;
        };
    }
};

TEST_F(LateCancellation, IsNotOverwrittenByTheStateOfAPhase) {
    cancel_at("post_job_state");
    reporter_.phase_entered(Phase::provision);
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
}

TEST_F(LateCancellation, IsNotOverwrittenByAllocated) {
    cancel_at("post_job_state");
    reporter_.wait_while_allocated();
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
    EXPECT_EQ(server_.calls["post_job_state"], 1);
}

TEST_F(LateCancellation, IsNotOverwrittenByTheOutcome) {
    cancel_at("post_outcome");
    reporter_.deliver_outcome({{Phase::test, 0}}, false);
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
    EXPECT_EQ(server_.calls["post_outcome"], 2);
}

TEST_F(LateCancellation, IsNotOverwrittenWhenTheLogTookItsTime) {
    cancel_at("post_log");
    log_.output(Phase::test, masked("the last words\n"));
    reporter_.deliver_outcome({{Phase::test, 0}}, false);
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
    EXPECT_EQ(server_.output_of(Phase::test), "the last words\n");
}

TEST_F(LateCancellation, WithoutOneTheOutcomeIsThatTheJobIsComplete) {
    reporter_.deliver_outcome({}, false);
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(server_.calls["read_job_state"], 0) << "who calls has just read it";
}

using UnreadableJob = DaemonFixture;

TEST_F(UnreadableJob, ThatWasCancelledStaysSo) {
    server_.jobs = {R"({"job_id": "j1", "global_timeout": "soon"})"};
    server_.job_states["j1"] = "cancelled";
    run();
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
}

}  // namespace
}  // namespace trebuchet
