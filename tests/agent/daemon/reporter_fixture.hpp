#pragma once

#include "agent/daemon/server_reporter.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_job_server.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <chrono>
#include <cstdint>
#include <functional>

#include <gtest/gtest.h>

namespace trebuchet {

/// The reporter of the job j1, with a server in memory and a spool of 1 MB.
class ReporterFixture : public testing::Test {
  protected:
    ReporterFixture() {
        config_.agent_id = "rpi4-1";
        config_.server_address = "http://lab";
        config_.polling_interval = std::chrono::seconds(0);
        config_.results_basedir = folder_ / "results";
        job_.id = "j1";
        job_.queue = "rpi4";
    }

    static Config with_small_spool() {
        Config config;
        config.trebuchet.spool.limit = std::uint64_t{1} << 20;
        return config;
    }

    /// As the runner does at a phase's end.
    void end_phase(Phase phase, const PhaseStatus& status, ServerReporter& reporter) {
        reporter.phase_ran(phase, status);
        reporter.wait_for_log_upload();
        reporter.post_status(status);
    }
    void end_phase(Phase phase, const PhaseStatus& status) { end_phase(phase, status, reporter_); }

    EventLoop loop_;
    FakeClock clock_;
    Config config_ = with_small_spool();
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
    AgentPosts posts_{parts_, orders_};
    JobFolder job_folder_{loop_, parts_.jobs(), "j1"};
    std::function<void()> on_decided_ = [] {};
    ServerReporter reporter_{parts_, posts_, job_folder_, MaskSet::none(), [this] { on_decided_(); }};
    ServerLog& log_ = reporter_.log();
};

}  // namespace trebuchet
