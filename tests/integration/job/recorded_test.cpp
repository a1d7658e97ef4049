#include "tests/integration/harness/lab_test.hpp"
#include "tests/integration/job/recorded_effects.hpp"
#include "tests/shared/effect_streams.hpp"

#include <algorithm>
#include <csignal>

namespace trebuchet::harness {
namespace {

/// As long as the agent's name in the recordings: the width of the banner depends on it.
constexpr const char* recorded_agent = "recorded-agent-1";

/// Runs the reference agent's recorded jobs with our agent. The effects on the server must be the same in the same
/// order (but see in_streams), except for the differences that a test names.
class Recorded : public LabTest {
  protected:
    void load(const std::string& name) {
        recording_ = load_recording(name);
        agent.configure({{"agent_id", recorded_agent}, {"job_queues", {recorded_agent}}});
        for (const auto* phase : {"setup", "provision", "firmware_update"})
            agent.on(phase, std::string("echo ") + phase);
        agent.on("cleanup", "echo cleanup-ran");
        if (const auto& job = recording_.job; job.contains("test_data")) run_in_test(job["test_data"]["test_cmds"]);
    }

    void run_in_test(const std::string& commands) {
        agent.on("test", "sh " + agent.folder().write("test.sh", commands).string());
    }

    /// Posts the recorded job and starts the agent.
    void start() {
        agent.configure(recording_.configuration);
        if (recording_.job.is_object()) {
            auto job = recording_.job;
            job["job_queue"] = recorded_agent;
            job["job_status_webhook"] = webhook;
            // All recorded jobs had provision_data; a recording shows it only if it matters.
            if (!job.contains("provision_data")) job["provision_data"] = {{"skip", false}};
            id_ = server.post_job(job);
        }
        agent.start();
    }

    [[nodiscard]] Names names() const { return {recorded_agent, id_, server.url()}; }
    [[nodiscard]] std::vector<Json> effects() { return effects_of(server.requests(), names()); }

    void set_state(const std::string& state, const std::string& comment) {
        const auto target = std::string("/v1/agents/data/") + recorded_agent;
        ASSERT_EQ(server.ask(clients::administrator, "POST", target, {{"state", state}, {"comment", comment}}).status,
                  200);
    }

    /// Expects our effect in place of the recorded one: a deliberate difference.
    void expect_instead(const Json& recorded, const Json& ours) {
        const auto found = std::find(recording_.effects.begin(), recording_.effects.end(), recorded);
        ASSERT_NE(found, recording_.effects.end()) << recorded;
        *found = ours;
    }

    void compare_effects() {
        static_cast<void>(eventually([&] { return effects().size() >= recording_.effects.size(); }));
        const auto ours = in_streams(effects());
        const auto theirs = in_streams(recording_.effects);
        for (std::size_t at = 0; at < std::max(ours.size(), theirs.size()); ++at) {
            const auto have = at < ours.size() ? ours[at] : Json();
            const auto want = at < theirs.size() ? theirs[at] : Json();
            ASSERT_EQ(have, want) << "effect " << at << " of " << Json(ours).dump() << "\n" << agent.log();
        }
    }

    void compare_output() {
        for (const auto& [phase, text] : recording_.output.items()) {
            auto ours = server.log(id_, phase);
            // The list of masked secrets at the end of a log is ours; the reference has none.
            ours = ours.substr(0, ours.find("\nSecrets that were masked in this job:\n"));
            EXPECT_EQ(generalized(ours, names()), generalized(text, names())) << phase;
        }
    }

    Recording recording_;
    std::string id_;
};

TEST_F(Recorded, ANormalJob) {
    load("normal");
    server.store_secret("token", "s3cr3t-of-the-lab");
    recording_.job["test_data"]["secrets"]["TOKEN"] = "token";
    start();
    compare_effects();
    compare_output();
}

TEST_F(Recorded, AJobWhoseProvisionFails) {
    load("provision_fails");
    recording_.configuration["provision_command"] = R"sh(
        printf '{"provision_exception_info": {"exception_name": "ProvisioningError", "exception_message": "no image",
                 "exception_cause": "OSError()"}}' > device-connector-error.json; exit 1)sh";
    start();
    compare_effects();
    compare_output();
}

TEST_F(Recorded, AJobWithoutAnythingToProvisionOrTest) {
    load("provision_skipped_no_test");
    start();
    compare_effects();
    compare_output();
}

TEST_F(Recorded, AJobThatLosesTheDevice) {
    load("recovery_failed");
    start();
    compare_effects();
    compare_output();
}

TEST_F(Recorded, AJobWhoseTestFailsAndThatReservesTheDevice) {
    load("test_fails_then_reserve");
    start();
    compare_effects();
    compare_output();
}

TEST_F(Recorded, AJobThatIsCancelled) {
    load("cancel_in_test");
    run_in_test("echo started; exec sleep 1000");
    // Ours keeps the submitter's `cancelled`: posting `complete` would overwrite it.
    auto outcome = recording_.effects[recording_.effects.size() - 3];
    auto ours = outcome;
    ours[1]["job_state"] = "cancelled";
    expect_instead(outcome, ours);
    start();
    ASSERT_TRUE(server.shows(id_, "test", "started")) << agent.log();
    server.cancel(id_);
    compare_effects();
}

TEST_F(Recorded, AJobDuringWhichTheAgentIsTakenOffline) {
    load("offline_in_mid_job_then_back");
    auto held = gate();
    run_in_test("echo started >&2; " + held.wait_command() + "; echo done");
    start();
    ASSERT_TRUE(server.shows(id_, "test", "started")) << agent.log();
    set_state("offline", "maintenance window");
    held.open();
    // The administrator's calls are not the agent's.
    compare_effects();
}

TEST_F(Recorded, AJobThatReachesItsGlobalTimeout) {
    load("global_timeout");
    start();
    compare_effects();
    EXPECT_THAT(server.log(id_, "test"), ::testing::EndsWith("start\n\nERROR: Global timeout reached! (5s)\n"));
}

TEST_F(Recorded, AJobThatReachesItsOutputTimeout) {
    load("output_timeout");
    start();
    compare_effects();
    EXPECT_THAT(server.log(id_, "test"), ::testing::EndsWith("start\n\nERROR: Output timeout reached! (5s)\n"));
}

TEST_F(Recorded, AnAgentThatIsRestartedWhileIdle) {
    load("restart_when_idle");
    // The reference posts `offline`; after the restart it cannot tell this from an administrator's order.
    expect_instead({"agent_state", "offline", "update"}, {"agent_state", "restart", "update"});
    start();
    ASSERT_TRUE(eventually([&] { return effects().size() == 2; })) << agent.log();
    set_state("restart", "update");
    compare_effects();
    EXPECT_EQ(agent.program().wait().code, 1);
}

TEST_F(Recorded, AnAgentThatIsToldToRestartInMidJob) {
    load("sigusr1_in_mid_job");
    // As in AnAgentThatIsRestartedWhileIdle.
    const std::string comment = "Restart signal detected from supervisor process";
    expect_instead({"agent_state", "offline", comment}, {"agent_state", "restart", comment});
    auto held = gate();
    run_in_test("echo started >&2; " + held.wait_command() + "; echo done");
    start();
    ASSERT_TRUE(server.shows(id_, "test", "started")) << agent.log();
    agent.program().signal(SIGUSR1);
    ASSERT_TRUE(agent.logs_text("SIGUSR1")) << agent.log();
    held.open();
    compare_effects();
    EXPECT_EQ(agent.program().wait().code, 1);
}

}  // namespace
}  // namespace trebuchet::harness
