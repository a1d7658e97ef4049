#include "agent/daemon/server_reporter.hpp"
#include "tests/agent/daemon/daemon_fixture.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_job_server.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;

/// A job that is cancelled while a post about it fails. The next try must not overwrite that.
class LateCancellation : public testing::Test {
  protected:
    LateCancellation() {
        config_.agent_id = "rpi4-1";
        config_.polling_interval = std::chrono::seconds(0);
        config_.results_basedir = folder_ / "results";
        job_.id = "j1";
        reporter_.job_taken(job_);
    }

    /// The job is cancelled as the first call of this name fails.
    void cancel_at(const std::string& name) {
        server_.is_down = [this, name](const std::string& call) {
            const bool now = call == name && server_.calls[call] == 1;
            if (now) server_.job_states["j1"] = "cancelled";
            return now;
        };
    }

    EventLoop loop_;
    FakeClock clock_;
    Config config_;
    Job job_;
    FakeJobServer server_{loop_};
    TemporaryFolder folder_;
    AgentMetrics metrics_{"rpi4-1", ""};
    DaemonParts parts_{loop_,
                       clock_,
                       config_,
                       server_,
                       metrics_,
                       false,
                       [] { return no_waiting(); },
                       folder_ / "secret",
                       folder_ / "state"};
    Orders orders_;
    JobFolder job_folder_{loop_, parts_.jobs(), "j1"};
    ServerReporter reporter_{parts_, orders_, job_folder_};
};

TEST_F(LateCancellation, IsNotOverwrittenByTheStateOfAPhase) {
    cancel_at("post_job_state");
    reporter_.phase_entered(Phase::provision);
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
}

TEST_F(LateCancellation, IsNotOverwrittenByAllocated) {
    cancel_at("post_job_state");
    reporter_.stay_allocated();
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
    EXPECT_EQ(server_.calls["post_job_state"], 1);
}

TEST_F(LateCancellation, IsNotOverwrittenByTheOutcome) {
    cancel_at("post_outcome");
    reporter_.job_finished({{Phase::test, 0}}, false);
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
    EXPECT_EQ(server_.calls["post_outcome"], 2);
}

TEST_F(LateCancellation, IsNotOverwrittenWhenTheLogTookItsTime) {
    cancel_at("post_log");
    reporter_.output(Phase::test, MaskSet::none()->mask("the last words\n"));
    reporter_.job_finished({{Phase::test, 0}}, false);
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
    EXPECT_EQ(server_.output_of(Phase::test), "the last words\n");
}

TEST_F(LateCancellation, WithoutOneTheOutcomeIsThatTheJobIsComplete) {
    reporter_.job_finished({}, false);
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
