#include "tests/agent/daemon/daemon_fixture.hpp"
#include "tests/shared/effect_streams.hpp"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// In the place of `from`, everywhere in the document's strings.
json replaced(const json& document, const std::string& from, const std::string& to) {
    std::string text = document.dump();
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return json::parse(text);
}

/// What the reference agent was seen to do to its server, against what ours does to one in memory.
class RecordedEffects : public DaemonFixture {
  protected:
    void load(const std::string& name) {
        std::ifstream file(std::string(RECORDED_FOLDER) + "/" + name + ".json");
        recording_ = json::parse(file);
        command(Phase::setup, "echo setup");
        command(Phase::provision, "echo provision");
        command(Phase::cleanup, "echo cleanup-ran");
        job_ = recording_["job"];
        job_["job_id"] = "j1";
        job_["job_status_webhook"] = "http://hook";
        if (!job_.contains("provision_data")) job_["provision_data"] = {{"skip", false}};
        if (job_.contains("test_data")) command(Phase::test, job_["test_data"]["test_cmds"]);
    }

    void compare() {
        server_.jobs = {job_.dump()};
        run();
        json expected = replaced(replaced(recording_["effects"], "$JOB", "j1"), "$SERVER", "http://lab");
        for (auto& effect : expected) {
            if (effect[0] == "register" || effect[0] == "take_job") effect = json::array({effect[0]});
        }
        expected.erase(
            std::remove_if(expected.begin(), expected.end(), [](const json& effect) { return effect[0] == "queues"; }),
            expected.end());
        json ours = server_.effects;
        // The reference has no such call, and no such event.
        const auto is_ours = [](const json& effect) {
            return effect[0] == "advertise" || (effect[0] == "event" && effect[1] == "secrets_masked");
        };
        ours.erase(std::remove_if(ours.begin(), ours.end(), is_ours), ours.end());
        for (const auto& [from, to] : instead_) expected = replaced(expected, from, to);
        expected = in_streams(expected);
        ours = in_streams(ours);
        for (std::size_t i = 0; i < std::max(ours.size(), expected.size()); ++i) {
            ASSERT_EQ(i < ours.size() ? ours[i] : json("nothing"), i < expected.size() ? expected[i] : json("nothing"))
                << "effect " << i;
        }
    }

    json recording_;
    json job_;
    std::vector<std::pair<std::string, std::string>> instead_;  ///< where ours differs on purpose: theirs and ours
};

TEST_F(RecordedEffects, OfAJobThatGoesWell) {
    load("normal");
    job_["test_data"]["secrets"]["TOKEN"] = "s3cret-value";
    compare();
    EXPECT_THAT(server_.output_of(Phase::test), HasSubstr("\nv=**"));
    EXPECT_FALSE(server_.archive.empty());
}

TEST_F(RecordedEffects, OfAProvisionThatFails) {
    load("provision_fails");
    const json error{{"provision_exception_info",
                      {{"exception_name", "ProvisioningError"},
                       {"exception_message", "no image"},
                       {"exception_cause", "OSError()"}}}};
    command(Phase::provision, "echo '" + error.dump() + "' > device-connector-error.json; exit 1");
    compare();
}

TEST_F(RecordedEffects, OfASkippedProvisionAndNoTest) {
    load("provision_skipped_no_test");
    compare();
}

TEST_F(RecordedEffects, OfALostDevice) {
    load("recovery_failed");
    command(Phase::provision, "exit 46");
    stop_at(poll_after_job(3, 1));
    compare();
}

TEST_F(RecordedEffects, OfATestThatFails) {
    load("test_fails_then_reserve");
    command(Phase::reserve, "echo reserved");
    compare();
}

TEST_F(RecordedEffects, OfAnOrderInMidJob) {
    load("offline_in_mid_job_then_back");
    command(Phase::test, "true");
    after({"agent_state", "test", ""}, [&] { server_.agent = record("offline", "maintenance window"); });
    stop_at(poll_after_job(2, 3));
    compare();
}

TEST_F(RecordedEffects, OfACancellation) {
    load("cancel_in_test");
    command(Phase::test, "sleep 1000");
    after({"agent_state", "test", ""}, [&] { server_.job_states["j1"] = "cancelled"; });
    instead_ = {{R"({"job_state":"complete")", R"({"job_state":"cancelled")"}};
    compare();
}

TEST_F(RecordedEffects, OfAGlobalTimeout) {
    load("global_timeout");
    job_["global_timeout"] = 1;
    command(Phase::test, "sleep 1000");
    instead_ = {{"(5s)", "(1s)"}};
    compare();
}

TEST_F(RecordedEffects, OfAnOutputTimeout) {
    load("output_timeout");
    job_["output_timeout"] = 0;
    command(Phase::test, "sleep 1000");
    instead_ = {{"(5s)", "(0s)"}};
    compare();
}

TEST_F(RecordedEffects, OfARestartWhileIdle) {
    load("restart_when_idle");
    job_ = nullptr;
    when_idle([&] { server_.agent = record("restart", "update"); });
    EXPECT_EQ(run(), DaemonEnd::restart);
    EXPECT_EQ(server_.effects.back(), json({"agent_state", "restart", "update"}));
}

}  // namespace
}  // namespace trebuchet
