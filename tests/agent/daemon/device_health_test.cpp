#include "agent/daemon/device_health.hpp"

#include "tests/agent/daemon/daemon_fixture.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

namespace fs = std::filesystem;

/// The health of a device that goes into quarantine after three failures.
class DeviceHealthTest : public DaemonFixture {
  protected:
    DeviceHealthTest() {
        fs::create_directories(folder_ / "state");
        config_.trebuchet.quarantine = 3;
    }
    void provision(const std::string& id, int code, const std::string& submitter = "") {
        Job job;
        job.id = id;
        if (!submitter.empty()) job.client_id = submitter;
        health_.job_taken(job);
        health_.phase_ran(Phase::provision, {{Phase::provision, code}});
        health_.phase_ran(Phase::test, {{Phase::provision, code}, {Phase::test, 1}});
        health_.job_finished({}, false);
    }
    [[nodiscard]] std::string kept_comment() {
        return DeviceHealth(parts_, [] { return false; }).comment();
    }

    bool is_stopping_ = false;
    DaemonParts parts_ = parts_for(loop_, server_);
    DeviceHealth health_{parts_, [this] { return is_stopping_; }};
};

TEST_F(DeviceHealthTest, IsBadAfterSoManyFailuresInARow) {
    provision("j1", 1);
    provision("j2", 46);
    EXPECT_EQ(health_.comment(), "");
    provision("j3", 2);
    EXPECT_EQ(
        health_.comment(),
        "Quarantined by the agent: 3 provisions in a row failed, last job j1 (exit code 1), job j2 (exit code 46), "
        "job j3 (exit code 2). Repair the device, then run trebuchet-agent resume");
    EXPECT_THAT(metrics_.text(), AllOf(HasSubstr("trebuchet_provision_failures_in_a_row{agent_id=\"rpi4-1\"} 3"),
                                       HasSubstr("trebuchet_quarantined{agent_id=\"rpi4-1\"} 1")));
}

TEST_F(DeviceHealthTest, IsNotJudgedByProvisionsWhoseCommandDidNotRun) {
    for (const auto* id : {"j1", "j2", "j3", "j4"}) provision(id, 100);
    EXPECT_EQ(health_.comment(), "");
}

TEST_F(DeviceHealthTest, IsGoodAgainAfterASuccess) {
    provision("j1", 1);
    provision("j2", 1);
    provision("j3", 0);
    provision("j4", 1);
    EXPECT_EQ(health_.comment(), "");
    EXPECT_THAT(metrics_.text(), HasSubstr("trebuchet_provision_failures_in_a_row{agent_id=\"rpi4-1\"} 1"));
}

TEST_F(DeviceHealthTest, IsNotForOneSubmitterToSpoil) {
    for (const auto* id : {"j1", "j2", "j3", "j4"}) provision(id, 1, "mallory");
    EXPECT_EQ(health_.comment(), "");
    provision("j5", 1, "ann");
    provision("j6", 1);
    EXPECT_THAT(health_.comment(), HasSubstr("6 provisions in a row failed, last job j4 (exit code 1), job j5"));
}

TEST_F(DeviceHealthTest, IsNotWatchedWithoutALimit) {
    config_.trebuchet.quarantine = 0;
    for (int i = 0; i < 200; ++i) provision("j" + std::to_string(i), 1);
    EXPECT_EQ(health_.comment(), "");
    EXPECT_LT(fs::file_size(folder_ / "state" / device_health_file), 16384U);
}

TEST_F(DeviceHealthTest, SaysNothingOfAProvisionThatTheAgentEnded) {
    is_stopping_ = true;
    for (const auto* id : {"j1", "j2", "j3"}) provision(id, 247);
    is_stopping_ = false;
    EXPECT_EQ(health_.comment(), "");
    for (const auto* id : {"j1", "j2", "j3"}) provision(id, 247);  // timeouts
    EXPECT_NE(health_.comment(), "");
}

TEST_F(DeviceHealthTest, SurvivesARestart) {
    for (const auto* id : {"j1", "j2", "j3"}) provision(id, 1, std::string("submitter of ") + id);
    EXPECT_EQ(kept_comment(), health_.comment());
    health_.reset();
    EXPECT_EQ(kept_comment(), "");
}

TEST_F(DeviceHealthTest, BeginsAnewWhenTheFileIsRemoved) {
    for (const auto* id : {"j1", "j2", "j3"}) provision(id, 1);
    fs::remove(folder_ / "state" / device_health_file);
    health_.refresh();
    EXPECT_EQ(health_.comment(), "");
    EXPECT_THAT(metrics_.text(), HasSubstr("trebuchet_quarantined{agent_id=\"rpi4-1\"} 0"));
}

TEST_F(DeviceHealthTest, IsUnknownWhereTheFileMakesNoSense) {
    const auto file = folder_ / "state" / device_health_file;
    for (const auto* text :
         {"", "[]", "{}", R"({"failures": {}})", R"({"failures": [1, {"job": "../x"}, {"code": "x"}]})",
          R"({"failures": [], "in_a_row": -1})"}) {
        std::ofstream(file) << text;
        EXPECT_EQ(kept_comment(), "") << text;
    }
    fs::remove(file);
    fs::create_directory(file);
    EXPECT_EQ(kept_comment(), "");
}

/// A daemon whose provisions all fail.
class QuarantinedDaemon : public DaemonFixture {
  protected:
    QuarantinedDaemon() {
        fs::create_directories(folder_ / "state");
        config_.trebuchet.quarantine = 2;
        command(Phase::provision, "exit 1");
        server_.jobs = {job("j1"), job("j2"), job("j3")};
    }
    static std::string job(const std::string& id) {
        return json{{"job_id", id}, {"provision_data", {{"url", "x"}}}}.dump();
    }
    /// Runs until the quarantine is shown, then `action`.
    void once_in_quarantine(const std::function<void()>& action) {
        server_.on_effect = [action, before = server_.on_effect](const json& effect) {
            before(effect);
            if (effect.size() == 3 && effect[1] == "maintenance") action();
        };
    }
};

TEST_F(QuarantinedDaemon, TakesNoFurtherJobUntilItIsResumed) {
    once_in_quarantine([this] { stop_at({"read_agent", server_.calls["read_agent"] + 3}); });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(states().back(),
                StartsWith("maintenance Quarantined by the agent: 2 provisions in a row failed, last job"));
    EXPECT_EQ(server_.job_states.count("j3"), 0U);

    EventLoop loop;
    FakeJobServer server(loop);
    server.agent = server_.agent;
    server.jobs = {job("j3")};
    Daemon again(parts_for(loop, server));
    server.at(poll(3), [&] { fs::remove(folder_ / "state" / device_health_file); });
    server.on_effect = [&](const json& effect) {
        if (effect == json{"idle"}) again.stop();
    };
    again.run();
    EXPECT_THAT(server.effects.front()[1], "maintenance");
    EXPECT_EQ(server.job_states["j3"], "complete");
}

TEST_F(QuarantinedDaemon, GoesOnWhenAnAdministratorSetsItOnline) {
    once_in_quarantine([this] {
        server_.at({"read_agent", server_.calls["read_agent"] + 2}, [this] { server_.agent = record("waiting", ""); });
    });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.job_states["j3"], "complete");
}

TEST_F(QuarantinedDaemon, IsShownAgainIfTheServerDidNotTakeIt) {
    server_.is_down = [this](const std::string& call) {
        return call == "post_agent_state" && server_.job_states.count("j2") > 0 &&
               server_.job_states["j2"] == "complete" && ++stops_ == 1;
    };
    once_in_quarantine([this] { daemon_.stop(); });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.job_states.count("j3"), 0U);
}

}  // namespace
}  // namespace trebuchet
