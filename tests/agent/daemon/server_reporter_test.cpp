#include "agent/daemon/server_reporter.hpp"

#include "tests/agent/daemon/reporter_fixture.hpp"
#include "tests/fakes/masked.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class ServerReporterTest : public ReporterFixture {
  protected:
    void take_job(const std::string& webhook = "") {
        job_.webhook = webhook;
        reporter_.job_taken(job_);
    }
    /// The calls of this name fail the first so many times.
    void fail(const std::string& name, int times) {
        server_.is_down = [this, name, times](const std::string& call) {
            return call == name && server_.calls[call] <= times;
        };
    }
    /// Since the last call, those of AgentPosts included.
    std::vector<json> effects() {
        posts_.finish();
        return std::exchange(server_.effects, {});
    }
    void phase_entered(Phase phase) {
        reporter_.phase_entered(phase);
        posts_.finish();
    }
    /// Its command ran.
    void run(Phase phase) { reporter_.process_starts(phase, "NAME=VALUE"); }
};

TEST_F(ServerReporterTest, SaysWithItsFirstStateWhichJobIsInHand) {
    take_job();
    EXPECT_THAT(effects(), IsEmpty());
    reporter_.phase_entered(Phase::setup);
    EXPECT_THAT(effects(), ElementsAre(json{"result", {{"job_state", "setup"}}}, json{"agent_job_id", "j1"},
                                       json{"agent_state", "setup", ""}));
    reporter_.phase_entered(Phase::test);
    EXPECT_THAT(effects(), ElementsAre(json{"result", {{"job_state", "test"}}}, json{"agent_state", "test", ""}));
}

TEST_F(ServerReporterTest, SaysWithALaterStateWhichJobIsInHandIfTheFirstIsLost) {
    take_job();
    fail("post_agent_state", 4);
    phase_entered(Phase::setup);
    EXPECT_EQ(server_.calls["post_agent_state"], 4);
    phase_entered(Phase::provision);
    EXPECT_EQ(server_.agent.job_id, "j1");
}

TEST_F(ServerReporterTest, DoesNotWaitForTheAgentsStates) {
    take_job();
    fail("post_agent_state", 1);
    reporter_.phase_entered(Phase::setup);
    EXPECT_EQ(server_.calls["post_agent_state"], 0);
    reporter_.phase_entered(Phase::provision);
    posts_.finish();
    EXPECT_EQ(server_.agent.state, "provision");
    EXPECT_EQ(server_.calls["post_agent_state"], 2) << "a newer state waited";
}

TEST_F(ServerReporterTest, SendsEventsOnlyToAWebhook) {
    take_job();
    reporter_.event("setup_start", {});
    EXPECT_EQ(server_.calls["post_events"], 0);
}

TEST_F(ServerReporterTest, SendsAllEventsSoFarEachTime) {
    take_job("http://hook");
    clock_.advance(std::chrono::seconds(1));
    reporter_.event("setup_fail", masked("why"));
    EXPECT_THAT(effects(),
                ElementsAre(json{"event", "job_start", "http://lab/jobs/j1"}, json{"event", "setup_fail", "why"}));
    ASSERT_EQ(server_.events.size(), 2U);
    EXPECT_EQ(server_.events[0].timestamp, "2027-01-15T08:00:00.000000+00:00");
    EXPECT_EQ(server_.events[1].timestamp, "2027-01-15T08:00:01.000000+00:00");
}

TEST_F(ServerReporterTest, GivesUpOnAWebhookThatFailsOnce) {
    fail("post_events", 1);
    take_job("http://hook");
    reporter_.event("setup_start", {});
    reporter_.event("setup_success", {});
    EXPECT_EQ(server_.calls["post_events"], 1);
}

TEST_F(ServerReporterTest, PostsStatesAsAPhaseIsEntered) {
    take_job("http://hook");
    effects();
    reporter_.phase_entered(Phase::firmware_update);
    EXPECT_THAT(effects(), testing::UnorderedElementsAre(
                               json{"result", {{"job_state", "firmware_update"}}}, json{"agent_job_id", "j1"},
                               json{"agent_state", "firmware_update", ""}, json{"event", "firmware_update_start", ""}));
}

TEST_F(ServerReporterTest, KeepsAnAdministratorsOrderAndItsComment) {
    take_job();
    phase_entered(Phase::setup);
    EXPECT_FALSE(orders_.standing());
    run(Phase::setup);
    server_.agent = record("offline", "new cable");
    effects();
    phase_entered(Phase::provision);
    phase_entered(Phase::test);
    EXPECT_THAT(effects(),
                ElementsAre(json{"result", {{"job_state", "provision"}}}, json{"agent_state", "provision", "new cable"},
                            json{"result", {{"job_state", "test"}}}, json{"agent_state", "test", "new cable"}));
    ASSERT_TRUE(orders_.standing());
    EXPECT_EQ(orders_.standing()->order, Order::offline);
    EXPECT_EQ(orders_.standing()->comment, "new cable");
}

TEST_F(ServerReporterTest, TheLastOrderCounts) {
    take_job();
    run(Phase::setup);
    server_.agent = record("offline", "first");
    phase_entered(Phase::provision);
    run(Phase::provision);
    server_.agent = record("restart", "second");
    phase_entered(Phase::test);
    EXPECT_EQ(orders_.standing()->order, Order::restart);
    EXPECT_EQ(orders_.standing()->comment, "second");
}

TEST_F(ServerReporterTest, LooksForOrdersOnlyIfThereWasTimeForThem) {
    take_job();
    phase_entered(Phase::setup);
    EXPECT_EQ(server_.calls["read_agent"], 0) << "the poll has just looked";
    run(Phase::setup);
    phase_entered(Phase::firmware_update);
    phase_entered(Phase::test);
    EXPECT_EQ(server_.calls["read_agent"], 1);
    run(Phase::test);
    phase_entered(Phase::allocate);
    EXPECT_EQ(server_.calls["read_agent"], 2);
}

TEST_F(ServerReporterTest, LooksForOrdersAgainBeforeItTriesAStateAgain) {
    take_job();
    server_.is_down = [this](const std::string& call) {
        if (call != "post_agent_state" || server_.calls[call] > 1) return false;
        server_.agent = record("offline", "new cable");
        return true;
    };
    phase_entered(Phase::setup);
    EXPECT_EQ(server_.agent.comment, "new cable");
    ASSERT_TRUE(orders_.standing());
}

TEST_F(ServerReporterTest, SendsExitCodesWithTheNextJobState) {
    take_job();
    effects();
    end_phase(Phase::setup, {{Phase::setup, 0}});
    EXPECT_THAT(effects(), IsEmpty());
    server_.calls.clear();
    reporter_.phase_entered(Phase::provision);
    EXPECT_EQ(server_.calls["post_job_state"], 1);
    EXPECT_EQ(server_.calls["post_status"], 0);
    EXPECT_THAT(server_.effects, ElementsAre(json{"result", {{"status", {{"setup", 0}}}}},
                                             json{"result", {{"job_state", "provision"}}}));
}

TEST_F(ServerReporterTest, SendsExitCodesBeforeACommandOrAnUploadAndAtOnceIfThereIsAWebhook) {
    take_job();
    end_phase(Phase::test, {{Phase::test, 1}});
    reporter_.process_starts(Phase::cleanup, "NAME=VALUE");
    EXPECT_EQ(server_.calls["post_status"], 1);
    end_phase(Phase::cleanup, {{Phase::test, 1}, {Phase::cleanup, 0}});
    const TemporaryFolder folder;
    reporter_.upload_artifacts(folder.write("archive", "bytes"));
    EXPECT_EQ(server_.calls["post_status"], 2);
    take_job("http://hook");
    end_phase(Phase::setup, {{Phase::setup, 0}});
    EXPECT_EQ(server_.calls["post_status"], 3);
}

TEST_F(ServerReporterTest, SendsTheLastExitCodeOnlyWithTheOutcome) {
    take_job();
    end_phase(Phase::cleanup, {{Phase::cleanup, 0}});
    reporter_.deliver_outcome({{Phase::cleanup, 0}}, false);
    EXPECT_EQ(server_.calls["post_status"], 0);
    EXPECT_EQ(server_.calls["post_outcome"], 1);
}

TEST_F(ServerReporterTest, AsksForACancellationWhileTheLogIsSent) {
    take_job();
    server_.job_states["j1"] = "cancelled";
    end_phase(Phase::setup, {});
    EXPECT_TRUE(reporter_.is_cancelled());
    EXPECT_EQ(server_.calls["read_job_state"], 1);
    server_.job_states["j1"] = "test";
    EXPECT_FALSE(reporter_.is_cancelled());
    EXPECT_EQ(server_.calls["read_job_state"], 2);
}

TEST_F(ServerReporterTest, AsksForACancellationAgainIfTheAnswerIsOld) {
    take_job();
    end_phase(Phase::setup, {});
    clock_.advance(std::chrono::seconds(1));
    server_.job_states["j1"] = "cancelled";
    EXPECT_TRUE(reporter_.is_cancelled());
}

TEST_F(ServerReporterTest, SendsTheOutputBeforeTheStatus) {
    take_job();
    server_.hold_logs = true;
    log_.output(Phase::test, masked("hello\n"));
    log_.serial(Phase::test, masked("boot\n"));
    loop_.run_until([&] { return server_.held_logs() == 2; });
    loop_.post([&] { server_.answer_log(); });
    loop_.post([&] { server_.answer_log(); });
    effects();
    end_phase(Phase::test, {{Phase::setup, 0}, {Phase::test, 3}});
    run(Phase::cleanup);
    EXPECT_THAT(effects(), ElementsAre(json{"serial", "test", "boot\n"},
                                       json{"result", {{"status", {{"setup", 0}, {"test", 3}}}}}));
    EXPECT_EQ(server_.output_of(Phase::test), "hello\n");
}

TEST_F(ServerReporterTest, IsFullWhenItsOutputIs) {
    take_job();
    server_.hold_logs = true;
    bool told = false;
    EXPECT_FALSE(log_.is_full());
    for (int i = 0; i < 20; ++i) log_.output(Phase::test, masked(std::string(65'000, 'x')));
    EXPECT_TRUE(log_.is_full());
    log_.on_room([&] { told = true; });
    loop_.run_until([&] { return server_.held_logs() == 1; });
    EXPECT_FALSE(told);
    server_.hold_logs = false;
    server_.answer_log();
    loop_.run_until([&] { return told; });
    EXPECT_FALSE(log_.is_full());
}

TEST_F(ServerReporterTest, ASerialLogDoesNotMakeItFull) {
    take_job();
    server_.hold_logs = true;
    log_.serial(Phase::test, masked("first"));
    log_.serial(Phase::test, masked(std::string(5U << 20, 'x')));
    EXPECT_FALSE(log_.is_full());
}

TEST_F(ServerReporterTest, ASerialLogWaitsForRoomOnlySoLongInAllForOnePhase) {
    ServerLog log(parts_, job_folder_, std::chrono::milliseconds(20));
    log.begin();
    server_.hold_logs = true;
    log.begin_serial();
    for (int i = 0; i < 20; ++i) log.serial(Phase::test, masked(std::string(65'000, 'x')));
    log.wait_for_serial_room();
    bool loop_ran = false;
    loop_.post([&] { loop_ran = true; });
    log.wait_for_serial_room();
    EXPECT_FALSE(loop_ran) << "it waited again";
    log.begin_serial();
    log.wait_for_serial_room();
    EXPECT_TRUE(loop_ran) << "the next phase did not wait";
}

TEST_F(ServerReporterTest, TriesAgainWhatReplacesItsFormerSelf) {
    take_job();
    fail("post_status", 3);
    end_phase(Phase::setup, {{Phase::setup, 0}});
    run(Phase::cleanup);
    EXPECT_EQ(server_.calls["post_status"], 4);
    fail("post_job_state", 1);
    reporter_.phase_entered(Phase::test);
    EXPECT_EQ(server_.job_states["j1"], "test");
    fail("post_device_info", 1);
    reporter_.device_info(MaskedJson(no_masks(), {{"ip", "10.0.0.1"}}));
    EXPECT_EQ(server_.calls["post_device_info"], 2);
    EXPECT_EQ(server_.device_info, json({{"ip", "10.0.0.1"}}));
    fail("post_artifacts", 2);
    const TemporaryFolder folder;
    folder.write("archive", "bytes");
    reporter_.upload_artifacts(folder / "archive");
    EXPECT_EQ(server_.archive, "bytes");
}

TEST_F(ServerReporterTest, TriesTheOutcomeLongestAndThenGoesOn) {
    take_job();
    server_.is_down = [](const std::string&) { return true; };
    end_phase(Phase::setup, {{Phase::setup, 0}});
    run(Phase::cleanup);
    reporter_.deliver_outcome({{Phase::setup, 0}}, false);
    EXPECT_EQ(server_.calls["post_status"], 4);
    EXPECT_EQ(server_.calls["post_outcome"], 8);
}

TEST_F(ServerReporterTest, WhileTheAgentStopsItTriesEverythingOnce) {
    take_job();
    reporter_.stop();
    server_.is_down = [](const std::string&) { return true; };
    reporter_.deliver_outcome({{Phase::setup, 0}}, false);
    EXPECT_EQ(server_.calls["post_outcome"], 1);
}

TEST_F(ServerReporterTest, AStopEndsAWaitThatHasBegun) {
    const DaemonParts patient_parts{
        loop_, clock_, config_, server_, metrics_, false, [] { return 1000.0; }, folder_ / "secret", folder_ / "state"};
    ServerReporter patient(patient_parts, posts_, job_folder_, MaskSet::none());
    patient.job_taken(job_);
    server_.is_down = [](const std::string&) { return true; };
    Timer timer(loop_);
    timer.start(std::chrono::milliseconds(10), [&] { patient.stop(); });
    end_phase(Phase::setup, {{Phase::setup, 0}}, patient);
    patient.process_starts(Phase::cleanup, "NAME=VALUE");
    EXPECT_EQ(server_.calls["post_status"], 2);
}

TEST_F(ServerReporterTest, SendsAProvisionLogOnce) {
    take_job();
    fail("post_provision_log", 1);
    reporter_.provision_log(1, masked("provision_fail"));
    effects();
    EXPECT_EQ(server_.calls["post_provision_log"], 1);
    reporter_.provision_log(0, masked("provision_success"));
    EXPECT_THAT(effects(), ElementsAre(json{"provision_log", 0, "provision_success"}));
}

TEST_F(ServerReporterTest, ALostDeviceTakesTheAgentOffline) {
    take_job();
    effects();
    reporter_.recovery_failed("a comment");
    EXPECT_THAT(effects(), ElementsAre(json{"agent_job_id", "j1"}, json{"agent_state", "offline", "a comment"}));
}

TEST_F(ServerReporterTest, EndsAJobAsComplete) {
    take_job();
    effects();
    reporter_.deliver_outcome({{Phase::test, 3}}, false);
    EXPECT_THAT(effects(), ElementsAre(json{"result", {{"status", {{"test", 3}}}, {"job_state", "complete"}}}));
}

TEST_F(ServerReporterTest, ACancelledJobStaysCancelled) {
    take_job();
    effects();
    reporter_.deliver_outcome({}, true);
    EXPECT_THAT(effects(), ElementsAre(json{"result", {{"status", json::object()}, {"job_state", "cancelled"}}}));
}

TEST_F(ServerReporterTest, AsksWhetherTheJobWasCancelled) {
    take_job();
    EXPECT_FALSE(reporter_.is_cancelled());
    EXPECT_EQ(server_.calls["read_job_state"], 0) << "it was just taken";
    EXPECT_FALSE(reporter_.is_cancelled());
    EXPECT_EQ(server_.calls["read_job_state"], 1);
    server_.job_states["j1"] = "cancelled";
    EXPECT_TRUE(reporter_.is_cancelled());
    server_.is_down = [](const std::string&) { return true; };
    EXPECT_FALSE(reporter_.is_cancelled());
}

TEST_F(ServerReporterTest, TellsOnceWhenTheJobIsCancelled) {
    take_job();
    int told = 0;
    server_.job_states["j1"] = "test";
    server_.at(state_question(1), [&] { server_.job_states["j1"] = "cancelled"; });
    reporter_.watch_for_cancel([&] { ++told; });
    EXPECT_EQ(server_.calls["read_job_state"], 0);
    loop_.run_until([&] { return told > 0; });
    EXPECT_EQ(told, 1);
}

TEST_F(ServerReporterTest, AnAnswerThatComesAfterTheWatchIsDropped) {
    take_job();
    server_.job_states["j1"] = "cancelled";
    bool told = false;
    server_.is_down = [&](const std::string& call) {
        if (call == "read_job_state") reporter_.unwatch();
        return false;
    };
    reporter_.watch_for_cancel([&] { told = true; });
    loop_.run_until([&] { return server_.calls["read_job_state"] > 0; });
    EXPECT_FALSE(told);
}

TEST_F(ServerReporterTest, StaysAllocatedUntilTheParentIsOver) {
    job_.parent_id = "p1";
    server_.job_states["p1"] = "test";
    take_job();
    effects();
    server_.at(state_question(6), [&] { server_.job_states["p1"] = "completed"; });
    reporter_.wait_while_allocated();
    EXPECT_THAT(effects(), ElementsAre(json{"result", {{"job_state", "allocated"}}}));
    EXPECT_EQ(server_.calls["read_job_state"], 6);
}

TEST_F(ServerReporterTest, StaysAllocatedUntilTheJobItselfIsOver) {
    for (const auto* over : {"cancelled", "complete"}) {
        take_job();
        server_.calls.clear();
        server_.at(state_question(3), [this, over] { server_.job_states["j1"] = over; });
        reporter_.wait_while_allocated();
        EXPECT_EQ(server_.calls["read_job_state"], 3) << over;
    }
}

TEST_F(ServerReporterTest, SaysThatItIsAllocatedUntilTheServerKnows) {
    take_job();
    server_.is_down = [&](const std::string& call) {
        if (call == "read_job_state") server_.job_states["j1"] = "complete";
        return call == "post_job_state" && server_.calls[call] <= 10;
    };
    reporter_.wait_while_allocated();
    EXPECT_EQ(server_.calls["post_job_state"], 11);
}

TEST_F(ServerReporterTest, StaysAllocatedNoLongerThanTheAgentLives) {
    take_job();
    server_.at(state_question(4), [&] { reporter_.stop(); });
    reporter_.wait_while_allocated();
    EXPECT_EQ(server_.calls["read_job_state"], 4);
}

TEST_F(ServerReporterTest, KeepsAnOutcomeThatItCannotDeliver) {
    take_job();
    fail("post_outcome", 1000);
    reporter_.deliver_outcome({{Phase::test, 1}}, false);
    EXPECT_FALSE(reporter_.is_delivered());
    const JobFolder kept(loop_, parts_.jobs(), "j1");
    ASSERT_TRUE(kept.record().outcome);
    EXPECT_EQ(kept.record().outcome->status, (PhaseStatus{{Phase::test, 1}}));
    EXPECT_EQ(kept.record().outcome->state, JobState::complete);
    EXPECT_FALSE(kept.record().outcome_sent);
}

TEST_F(ServerReporterTest, KeepsArtifactsThatItCannotDeliver) {
    take_job();
    fail("post_artifacts", 1000);
    std::filesystem::create_directories(job_folder_.path());
    folder_.write("state/jobs/j1/artifacts.tar.gz", "the archive");
    reporter_.upload_artifacts(job_folder_.archive());
    reporter_.deliver_outcome({}, false);
    EXPECT_EQ(text_of(job_folder_.archive()), "the archive");
    EXPECT_FALSE(reporter_.is_delivered());
}

TEST_F(ServerReporterTest, NothingIsLeftOfAJobThatIsDelivered) {
    take_job();
    log_.output(Phase::test, masked("sent\n"));
    std::filesystem::create_directories(job_folder_.path());
    folder_.write("state/jobs/j1/artifacts.tar.gz", "the archive");
    reporter_.upload_artifacts(job_folder_.archive());
    EXPECT_FALSE(std::filesystem::exists(job_folder_.archive()));
    EXPECT_FALSE(reporter_.is_delivered());
    reporter_.deliver_outcome({}, false);
    EXPECT_TRUE(reporter_.is_delivered());
}

TEST_F(ServerReporterTest, TheJournalTellsOfTheJobInHand) {
    take_job("http://hook");
    reporter_.phase_entered(Phase::test);
    reporter_.process_starts(Phase::test, "NAME=VALUE");
    reporter_.process_started({77, 5, "boot"});
    const JobFolder during(loop_, parts_.jobs(), "j1");
    EXPECT_EQ(during.record().running, Phase::test);
    ASSERT_EQ(during.record().processes.size(), 1U);
    EXPECT_EQ(during.record().processes[0].marker, "NAME=VALUE");
    EXPECT_EQ(during.record().processes[0].supervisor, (ProcessIdentity{77, 5, "boot"}));
    end_phase(Phase::test, {{Phase::test, 3}});
    const JobFolder after(loop_, parts_.jobs(), "j1");
    EXPECT_FALSE(after.record().running);
    EXPECT_EQ(after.record().status, (PhaseStatus{{Phase::test, 3}}));
    EXPECT_EQ(after.record().events.size(), 2U);
    EXPECT_FALSE(after.record().outcome);
}

TEST_F(ServerReporterTest, TheOutcomeIsDurableBeforeTheServerHearsOfIt) {
    take_job();
    bool decided = false;
    on_decided_ = [&] {
        decided = JobFolder(loop_, parts_.jobs(), "j1").record().outcome.has_value();
        EXPECT_EQ(server_.calls["post_outcome"], 0);
    };
    reporter_.deliver_outcome({}, false);
    EXPECT_TRUE(decided);
    EXPECT_EQ(server_.calls["post_outcome"], 1);
}

TEST_F(ServerReporterTest, AStopNowEndsAllWaiting) {
    take_job();
    server_.hold_logs = true;
    log_.output(Phase::test, masked("never confirmed"));
    reporter_.stop_now();
    end_phase(Phase::test, {});
    EXPECT_TRUE(server_.fragments.empty());
}

TEST_F(ServerReporterTest, AStopNowBeforeTheJobEndsAllWaiting) {
    reporter_.stop_now();
    take_job();
    server_.hold_logs = true;
    log_.output(Phase::test, masked("never confirmed"));
    end_phase(Phase::test, {});
    EXPECT_TRUE(server_.fragments.empty());
}

TEST_F(ServerReporterTest, AStopAfterAStopNowDoesNotWaitAgain) {
    take_job();
    reporter_.stop();
    EXPECT_EQ(log_.wait_limit(), std::chrono::milliseconds(5000));
    reporter_.stop_now();
    EXPECT_EQ(log_.wait_limit(), std::chrono::milliseconds(0));
    reporter_.stop();
    EXPECT_EQ(log_.wait_limit(), std::chrono::milliseconds(0));
}

TEST_F(ServerReporterTest, KnowsHowOldTheOldestUnconfirmedByteIs) {
    take_job();
    EXPECT_EQ(log_.lag(), std::chrono::seconds(0));
    server_.hold_logs = true;
    log_.output(Phase::test, masked("first"));
    loop_.run_until([&] { return server_.held_logs() == 1; });
    clock_.advance(std::chrono::seconds(7));
    log_.output(Phase::test, masked("second"));
    clock_.advance(std::chrono::seconds(3));
    EXPECT_EQ(log_.lag(), std::chrono::seconds(10));
    server_.answer_log();
    EXPECT_EQ(log_.lag(), std::chrono::seconds(3));
}

TEST_F(ServerReporterTest, KeepsTheRestOfALogThatItCannotDeliver) {
    take_job();
    fail("post_log", 1'000'000);
    log_.output(Phase::test, masked("not sent\n"));
    reporter_.stop_now();
    reporter_.deliver_outcome({{Phase::test, 0}}, false);
    EXPECT_FALSE(reporter_.is_delivered());
    Spool kept(job_folder_.worker(), job_folder_.path(), output_spool_name, {});
    const auto piece = kept.state().under_way ? kept.take_text_under_way() : kept.front(true)->text;
    EXPECT_EQ(piece.bytes(), "not sent\n");
}

TEST_F(ServerReporterTest, GivesUpAnOutcomeAndArtifactsThatTheServerRefusesForGood) {
    server_.is_down = [](const std::string& call) { return call == "post_outcome" || call == "post_artifacts"; };
    server_.refuses_for_good = true;
    reporter_.job_taken(job_);
    const auto archive = job_folder_.archive();
    std::filesystem::create_directories(archive.parent_path());
    std::ofstream(archive) << "packed";
    reporter_.upload_artifacts(archive);
    reporter_.deliver_outcome({{Phase::test, 1}}, false);
    EXPECT_EQ(server_.calls["post_artifacts"], 1);
    EXPECT_EQ(server_.calls["post_outcome"], 1);
    EXPECT_TRUE(reporter_.is_delivered());
}

}  // namespace
}  // namespace trebuchet
