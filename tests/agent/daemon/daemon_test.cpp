#include "agent/config/mask_options.hpp"
#include "common/base/text.hpp"
#include "tests/agent/daemon/daemon_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using DaemonTest = DaemonFixture;

constexpr const char* simple_job = R"({"job_id": "j1", "test_data": {"test_cmds": "x"}})";

TEST_F(DaemonTest, IntroducesItselfAndAsksForAJob) {
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(server_.effects, ElementsAre(json{"agent_state", "waiting", ""}, json{"advertise"}, json{"register"}));
    EXPECT_THAT(server_.polled_queues, ElementsAre("rpi4"));
}

TEST_F(DaemonTest, ComesUpWaitingUnlessAnAdministratorWantsItAway) {
    for (const auto* state : {"", "waiting", "setup", "test", "cleanup", "restart", "nonsense"}) {
        EventLoop loop;
        FakeJobServer server(loop);
        server.agent = record(state, "old comment");
        Daemon daemon(parts_for(loop, server));
        server.on_effect = [&](const json& effect) {
            if (effect == json{"idle"}) daemon.stop();
        };
        daemon.run();
        EXPECT_EQ(server.effects.front(), json({"agent_state", "waiting", ""})) << state;
        EXPECT_EQ(server.calls["take_job"], 1) << state;
    }
}

TEST_F(DaemonTest, KeepsOfflineAndMaintenanceWithTheirCommentAndTakesNoJob) {
    for (const auto* state : {"offline", "maintenance"}) {
        EventLoop loop;
        FakeJobServer server(loop);
        server.agent = record(state, "being repaired");
        Daemon daemon(parts_for(loop, server));
        server.at(poll(3), [&] { daemon.stop(); });
        daemon.run();
        EXPECT_EQ(server.effects.front(), json({"agent_state", state, "being repaired"}));
        EXPECT_EQ(server.calls["post_agent_state"], 1);
        EXPECT_EQ(server.calls["take_job"], 0);
    }
}

TEST_F(DaemonTest, AnOfflineThatTheReferenceAgentLeftWhenRestartingIsNoOrder) {
    server_.agent = record("offline", "Restart signal detected from supervisor process");
    run();
    EXPECT_EQ(server_.effects.front(), json({"agent_state", "waiting", ""}));
    EXPECT_EQ(server_.calls["take_job"], 1);
}

TEST_F(DaemonTest, WorksAgainWhenTheAdministratorSaysSo) {
    server_.agent = record("offline", "being repaired");
    server_.at(poll(3), [&] { server_.agent = record("waiting", ""); });
    run();
    EXPECT_EQ(server_.calls["take_job"], 1);
}

TEST_F(DaemonTest, GoesAwayWhenTheAdministratorSaysSoWhileItIsIdle) {
    when_idle([&] { server_.agent = record("maintenance", "new cable"); });
    stop_at(poll(5));
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.calls["take_job"], 1);
    EXPECT_THAT(states(), ElementsAre("waiting"));
}

TEST_F(DaemonTest, PollsOnlyItsRestrictedQueuesIfItHasSome) {
    config_.job_queues = {"a", "b", "c"};
    server_.agent.restricted_to = {{"b", {"team"}}, {"c", {}}, {"elsewhere", {"team"}}};
    run();
    EXPECT_THAT(server_.polled_queues, ElementsAre("b"));
}

TEST_F(DaemonTest, ARestrictionThatComesLaterCounts) {
    config_.job_queues = {"a", "b"};
    when_idle([&] {
        if (server_.is_behind(job_request(2))) return daemon_.stop();
        EXPECT_THAT(server_.polled_queues, ElementsAre("a", "b"));
        server_.agent.restricted_to = {{"a", {"team"}}};
    });
    run();
    EXPECT_THAT(server_.polled_queues, ElementsAre("a"));
}

TEST_F(DaemonTest, AdvertisesAtMostOnceAMinute) {
    std::vector<int> advertised;
    when_idle([&] {
        advertised.push_back(server_.calls["advertise"]);
        clock_.advance(seconds(20));
        if (advertised.size() == 8) daemon_.stop();
    });
    run();
    EXPECT_THAT(advertised, ElementsAre(1, 1, 1, 2, 2, 2, 3, 3));
}

TEST_F(DaemonTest, RunsOneJobAfterAnother) {
    server_.jobs = {R"({"job_id": "j1"})", R"({"job_id": "j2"})"};
    command(Phase::setup, "true");
    run();
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(server_.job_states["j2"], "complete");
    EXPECT_EQ(server_.effects.back(), json({"agent_state", "waiting", ""}));
}

TEST_F(DaemonTest, AJobThatCannotBeReadIsReportedAsFailed) {
    server_.jobs = {R"({"job_id": "j1", "global_timeout": "soon", "test_data": {"secrets": {"A": "s3cret-value"}}})"};
    run();
    EXPECT_THAT(std::vector<json>(server_.effects.begin() + 3, server_.effects.end()),
                ElementsAre(json{"take_job"}, json{"result", {{"status", {{"setup", 100}}}, {"job_state", "complete"}}},
                            json{"agent_job_id", ""}, json{"agent_state", "waiting", ""}));
    EXPECT_EQ(server_.output_of(Phase::setup),
              "ERROR: the job cannot be run: the job's global_timeout is a string, expected a number of seconds\n");
    EXPECT_EQ(server_.calls["take_job"], 2);
}

TEST_F(DaemonTest, MasksTheAgentsOwnCredentialsInEachJob) {
    own_secrets_->add("agent's access token", "the-token-of-the-agent");
    folder_.write("token", R"({"refresh_token": "r-00000001"})");
    own_secrets_->watch_file("agent's refresh token", folder_ / "token");
    server_.jobs = {simple_job};
    command(Phase::test, "echo the-token-of-the-agent; sed -i s/1/2/ '" + (folder_ / "token").string() +
                             "'; echo r-00000001 r-00000002");
    run();
    EXPECT_THAT(server_.output_of(Phase::test),
                AllOf(Not(HasSubstr("the-token")), Not(HasSubstr("r-0000")), HasSubstr("agent's refresh token")));
}

TEST_F(DaemonTest, AJobWhoseIdNamesAFolderOfTheHostFailsAndTheFolderStays) {
    std::filesystem::create_directories(folder_ / "run/data");
    folder_.write("run/data/file", "x");
    server_.jobs = {R"({"job_id": "data", "test_data": {"test_cmds": "x"}})"};
    command(Phase::cleanup, "rm -rf *");
    run();
    EXPECT_EQ(text_of(folder_ / "run/data/file"), "x");
    EXPECT_EQ(server_.job_states["data"], "complete");
    EXPECT_THAT(server_.output_of(Phase::setup), HasSubstr("already exists, and this agent did not make it"));
}

TEST_F(DaemonTest, AFolderThatAJobPlantedForALaterJobIsSetAside) {
    server_.jobs = {simple_job, R"({"job_id": "j2", "test_data": {"test_cmds": "x"}})"};
    command(Phase::test, "mkdir '" + (folder_ / "state/jobs/j2").string() + "'; echo ran");
    run();
    EXPECT_EQ(server_.job_states["j2"], "complete");
}

TEST_F(DaemonTest, AJobWithoutEvenAnIdIsDropped) {
    server_.jobs = {"nonsense", R"({"job_id": "../etc"})", R"({"job_id": "j1"})"};
    run();
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(server_.job_states.size(), 1U);
}

TEST_F(DaemonTest, AJobThatCannotBeTakenDoesNotMakeItPollAtOnce) {
    config_.polling_interval = seconds(3600);
    Timer timer(loop_);
    timer.start(std::chrono::milliseconds(50), [&] { daemon_.stop(); });
    server_.jobs = {"nonsense", R"({"job_id": "j1"})"};
    run();
    EXPECT_EQ(server_.calls["take_job"], 1);
}

TEST_F(DaemonTest, AJobThatTheServerGaveInALostAnswerIsReportedAsFailed) {
    server_.agent = record("waiting", "");
    server_.agent.job_id = "j1";
    server_.job_states["j1"] = "running";
    run();
    EXPECT_THAT(server_.output_of(Phase::setup), testing::HasSubstr("its answer with the job was lost"));
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_THAT(server_.effects, Contains(json{"result", {{"status", {{"setup", 100}}}, {"job_state", "complete"}}}));
    EXPECT_EQ(server_.agent.job_id, "");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "state/jobs/j1"));
}

TEST_F(DaemonTest, AJobOfItsRecordThatHasEndedIsNotReportedAgain) {
    for (const auto* state : {"complete", "cancelled"}) {
        EventLoop loop;
        FakeJobServer server(loop);
        server.agent = record("test", "");
        server.agent.job_id = "j1";
        server.job_states["j1"] = state;
        Daemon daemon(parts_for(loop, server));
        server.on_effect = [&](const json& effect) {
            if (effect == json{"idle"}) daemon.stop();
        };
        daemon.run();
        EXPECT_EQ(server.calls["post_outcome"], 0) << state;
        EXPECT_EQ(server.agent.job_id, "") << state;
    }
}

TEST_F(DaemonTest, AJobOfItsRecordIsNotLostWhileItsResultIsNotDelivered) {
    std::filesystem::create_directories(config_.results_basedir / "j1");
    server_.agent = record("test", "");
    server_.agent.job_id = "j1";
    server_.job_states["j1"] = "test";
    run();
    EXPECT_EQ(server_.calls["read_job_state"], 0);
    EXPECT_EQ(server_.calls["post_outcome"], 0);
}

TEST_F(DaemonTest, DoesNotForgetALostJobThatItCannotAskFor) {
    server_.agent = record("waiting", "");
    server_.agent.job_id = "j1";
    server_.job_states["j1"] = "running";
    server_.is_down = [&](const std::string& call) { return call == "read_job_state" && server_.calls[call] == 1; };
    run();
    EXPECT_EQ(server_.job_states["j1"], "complete");
}

TEST_F(DaemonTest, AnOrderInMidJobIsObeyedAfterIt) {
    server_.jobs = {simple_job, R"({"job_id": "j2"})"};
    command(Phase::test, "true");
    after({"agent_state", "test", ""}, [&] { server_.agent = record("offline", "new cable"); });
    stop_at(poll_after_job(3, 1));
    run();
    EXPECT_THAT(states(), ElementsAre("waiting", "setup", "provision", "firmware_update", "test", "allocate new cable",
                                      "reserve new cable", "offline new cable"));
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(server_.jobs.size(), 1U);
}

TEST_F(DaemonTest, AnOrderDuringTheLastPhaseOrCleanupIsObeyedToo) {
    for (const auto* effect : {"agent_state", "result"}) {
        EventLoop loop;
        FakeJobServer server(loop);
        server.jobs = {simple_job, R"({"job_id": "j2"})"};
        Daemon daemon(parts_for(loop, server));
        const json moment = effect == std::string("result")
                                ? json{"result", {{"status", json::object()}, {"job_state", "complete"}}}
                                : json{"agent_state", "reserve", ""};
        server.on_effect = [&](const json& happened) {
            if (happened == moment) server.agent = record("maintenance", "new cable");
        };
        server.at(poll_after_job(5, 0), [&] { daemon.stop(); });
        daemon.run();
        EXPECT_EQ(server.effects.back(), json({"agent_state", "maintenance", "new cable"})) << effect;
        EXPECT_EQ(server.jobs.size(), 1U) << effect;
    }
}

TEST_F(DaemonTest, ARestartWhileIdleEndsItWithItsOwnExitCode) {
    when_idle([&] { server_.agent = record("restart", "update"); });
    EXPECT_EQ(run(), DaemonEnd::restart);
    EXPECT_EQ(static_cast<int>(DaemonEnd::restart), 1);
    EXPECT_THAT(states(), ElementsAre("waiting", "restart update"));
}

TEST_F(DaemonTest, ARestartInMidJobEndsItAfterTheJob) {
    server_.jobs = {simple_job, R"({"job_id": "j2"})"};
    command(Phase::test, "true");
    after({"agent_state", "test", ""}, [&] { server_.agent = record("restart", "update"); });
    EXPECT_EQ(run(), DaemonEnd::restart);
    EXPECT_EQ(states().back(), "restart update");
    EXPECT_EQ(states().size(), 8U);
    EXPECT_EQ(server_.jobs.size(), 1U);
}

TEST_F(DaemonTest, AfterALostDeviceItIsOfflineWhateverElseWasOrdered) {
    server_.jobs = {simple_job, R"({"job_id": "j2"})"};
    command(Phase::test, "exit 46");
    after({"agent_state", "test", ""}, [&] { server_.agent = record("maintenance", "later"); });
    stop_at(poll_after_job(3, 0));
    run();
    const std::string offline = "offline Set to offline by agent. Recovery failed during job 'j1' execution.";
    EXPECT_EQ(states().back(), offline);
    EXPECT_EQ(server_.jobs.size(), 1U);
}

TEST_F(DaemonTest, WaitsForAServerThatIsAwayAtTheStart) {
    server_.is_down = [&](const std::string&) { return !server_.is_behind(introduction(4)); };
    run();
    EXPECT_THAT(server_.effects, ElementsAre(json{"agent_state", "waiting", ""}, json{"advertise"}, json{"register"}));
}

TEST_F(DaemonTest, IntroducesItselfAgainUntilAllOfItWorked) {
    server_.is_down = [&](const std::string& call) {
        return call == "register" && !server_.is_behind(registration(3));
    };
    run();
    EXPECT_EQ(server_.calls["post_agent_state"], 3);
    EXPECT_EQ(server_.calls["register"], 3);
}

TEST_F(DaemonTest, IntroducesItselfAgainWhenTheServerWasAway) {
    bool is_away = false;
    server_.at(job_request(2), [&] { is_away = true; });
    server_.at(job_request(4), [&] { is_away = false; });
    server_.is_down = [&](const std::string& call) { return call == "take_job" && is_away; };
    when_idle([&] {
        if (server_.is_behind(job_request(4))) daemon_.stop();
    });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.calls["register"], 3);
}

TEST_F(DaemonTest, TakesNoJobWhileItCannotAskForOrders) {
    server_.is_down = [&](const std::string& call) { return call == "read_agent" && server_.is_behind(poll(1)); };
    stop_at(poll(5));
    run();
    EXPECT_EQ(server_.calls["take_job"], 0);
}

TEST_F(DaemonTest, RegistersAgainWithAServerThatForgotIt) {
    when_idle([&] {
        if (server_.is_behind(registration(2))) return daemon_.stop();
        server_.agent = {};
    });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.calls["register"], 2);
}

TEST_F(DaemonTest, StoppedInMidJobItEndsTheJobWithItsCleanup) {
    server_.jobs = {simple_job, R"({"job_id": "j2"})"};
    command(Phase::test, "sleep 1000");
    command(Phase::cleanup, "echo clean");
    Timer timer(loop_);
    after({"agent_state", "test", ""}, [&] { timer.start(std::chrono::milliseconds(20), [&] { daemon_.stop(); }); });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_THAT(server_.output_of(Phase::test), HasSubstr("The agent is stopping"));
    EXPECT_THAT(server_.output_of(Phase::cleanup), HasSubstr("clean\n"));
    EXPECT_EQ(server_.effects.back(), json({"agent_state", "waiting", ""}));
    EXPECT_EQ(server_.jobs.size(), 1U);
}

TEST_F(DaemonTest, StoppedWhileItTakesAJobItGivesItTheGrace) {
    config_.trebuchet.stop_grace = std::chrono::hours(1);
    server_.jobs = {simple_job};
    command(Phase::test, "echo ran");
    after({"take_job"}, [&] { daemon_.stop(); });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(server_.output_of(Phase::test), HasSubstr("ran\n"));
    EXPECT_EQ(server_.job_states["j1"], "complete");
}

TEST_F(DaemonTest, AJobThatIsLeftOutBecauseItStopsFailsAndSaysWhy) {
    server_.jobs = {simple_job};
    command(Phase::setup, "echo set up");
    command(Phase::test, "echo ran");
    command(Phase::cleanup, "echo clean");
    Timer timer(loop_);
    after({"agent_state", "setup", ""}, [&] { daemon_.stop(); });
    after({"result", {{"status", {{"setup", 0}}}}}, [&] { timer.start(std::chrono::milliseconds(0), [] {}); });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(server_.output_of(Phase::test), Not(HasSubstr("ran")));
    EXPECT_THAT(server_.output_of(Phase::cleanup), HasSubstr("clean\n"));
    EXPECT_EQ(server_.job_states["j1"], "complete");
    const auto all = json(server_.effects).dump();
    EXPECT_THAT(all, HasSubstr(R"(247)")) << "it must not look like a success";
}

TEST_F(DaemonTest, ARestartBySignalLeavesTheAgentAwayIfItWas) {
    server_.agent = record("offline", "being repaired");
    server_.at(poll(2), [&] { daemon_.restart_when_idle(); });
    EXPECT_EQ(run(), DaemonEnd::restart);
    EXPECT_EQ(states().back(), "offline being repaired");
}

TEST_F(DaemonTest, ARestartBySignalLeavesAnAgentThatLostItsDeviceOffline) {
    server_.jobs = {simple_job};
    command(Phase::test, "exit 46");
    after({"agent_state", "test", ""}, [&] { daemon_.restart_when_idle(); });
    EXPECT_EQ(run(), DaemonEnd::restart);
    EXPECT_EQ(states().back(), "offline Set to offline by agent. Recovery failed during job 'j1' execution.");
}

TEST_F(DaemonTest, StoppedWhileTheServerIsAwayItEnds) {
    server_.is_down = [&](const std::string&) { return true; };
    stop_at(introduction(5));
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(server_.effects, IsEmpty());
}

TEST_F(DaemonTest, StoppedBeforeItRunsItDoesNothing) {
    daemon_.stop();
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(DaemonTest, NoSecretReachesTheServer) {
    command(Phase::provision, "echo $TOKEN; echo \"$TOKEN\" > provision-serial.log; exit 1");
    server_.jobs = {R"({"job_id": "j1", "job_status_webhook": "http://hook", "provision_data": {"x": 1},
                        "test_data": {"secrets": {"TOKEN": "s3cret-value"}}})"};
    run();
    EXPECT_FALSE(server_.fragments.empty());
    for (const auto& fragment : server_.fragments) {
        EXPECT_THAT(std::string(fragment.text.bytes()), Not(HasSubstr("s3cret-value")));
    }
    EXPECT_THAT(json(server_.effects).dump(), Not(HasSubstr("s3cret-value")));
}

TEST_F(DaemonTest, NoCharacterOfALongSerialLogIsCut) {
    command(Phase::test, "{ printf x; yes \xE2\x82\xAC\xE2\x82\xAC | head -c 4999995; } > test-serial.log");
    server_.jobs = {simple_job};
    run();
    std::string all;
    for (const auto& fragment : server_.fragments) {
        if (fragment.series == LogSeries::serial) all += to_valid_utf8(fragment.text.bytes());
    }
    EXPECT_EQ(all.size(), 4'999'996U);
    EXPECT_EQ(all.find("\xEF\xBF\xBD"), std::string::npos);
}

TEST_F(DaemonTest, StoppedWithTimeToFinishItFinishesTheJob) {
    config_.trebuchet.stop_grace = std::chrono::hours(1);
    server_.jobs = {simple_job, R"({"job_id": "j2"})"};
    command(Phase::test, "echo finished");
    after({"agent_state", "test", ""}, [&] { daemon_.stop(); });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(server_.output_of(Phase::test), HasSubstr("finished\n"));
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(server_.jobs.size(), 1U);
}

TEST_F(DaemonTest, ThatDrainsFinishesTheJobHoweverLongItTakes) {
    config_.trebuchet.drain = Drain::finish;
    server_.jobs = {simple_job, R"({"job_id": "j2"})"};
    command(Phase::setup, "echo set up");
    command(Phase::test, "echo finished");
    after({"take_job"}, [&] { daemon_.stop(); });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(server_.output_of(Phase::test), HasSubstr("finished\n"));
    EXPECT_EQ(server_.jobs.size(), 1U);
}

TEST_F(DaemonTest, StoppedTwiceItEndsAtOnceAndKeepsTheOutcome) {
    server_.jobs = {simple_job};
    config_.trebuchet.drain = Drain::finish;
    command(Phase::setup, "mkdir artifacts; echo x > artifacts/x");
    command(Phase::test, "trap '' TERM; sleep 1000; sleep 1000");
    command(Phase::cleanup, "echo clean");
    Timer timer(loop_);
    after({"agent_state", "test", ""}, [&] {
        timer.start(std::chrono::milliseconds(20), [&] {
            daemon_.stop();
            daemon_.stop();
        });
    });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.output_of(Phase::cleanup), "");
    EXPECT_EQ(server_.job_states["j1"], "test");
    const JobFolder kept(loop_, folder_ / "state/jobs", "j1");
    ASSERT_TRUE(kept.record().outcome);
    EXPECT_EQ(kept.record().outcome->status, (PhaseStatus{{Phase::setup, 0}, {Phase::test, 247}}));
    EXPECT_EQ(kept.record().outcome->state, JobState::complete);
    EXPECT_TRUE(std::filesystem::exists(kept.archive()));
}

TEST_F(DaemonTest, TheNextLifeDeliversWhatTheFormerOneKept) {
    server_.is_down = [&](const std::string& call) { return call == "post_outcome" || call == "post_artifacts"; };
    server_.jobs = {simple_job};
    command(Phase::test, "mkdir artifacts; echo x > artifacts/x; exit 3");
    run();
    EXPECT_EQ(server_.job_states["j1"], "reserve");
    EXPECT_TRUE(std::filesystem::exists(folder_ / "state/jobs/j1/artifacts.tar.gz"));

    EventLoop loop;
    FakeJobServer server(loop);
    Daemon daemon(parts_for(loop, server));
    server.on_effect = [&](const json& effect) {
        const bool is_delivered = !std::filesystem::exists(folder_ / "state/jobs/j1");
        if (effect == json{"idle"} && is_delivered) daemon.stop();
    };
    daemon.run();
    EXPECT_EQ(server.job_states["j1"], "complete");
    EXPECT_FALSE(server.archive.empty());
    EXPECT_THAT(server.effects, Contains(json({"result", {{"status", {{"test", 3}}}, {"job_state", "complete"}}})));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "state/jobs/j1"));
}

TEST_F(DaemonTest, ASignalToRestartIsObeyedAfterTheJob) {
    server_.jobs = {simple_job, R"({"job_id": "j2"})"};
    after({"agent_state", "test", ""}, [&] { daemon_.restart_when_idle(); });
    EXPECT_EQ(run(), DaemonEnd::restart);
    const std::string comment = "Restart signal detected from supervisor process";
    EXPECT_THAT(states(), ElementsAre("waiting", "setup", "provision", "firmware_update", "test", "allocate " + comment,
                                      "reserve " + comment, "restart " + comment));
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(server_.jobs.size(), 1U);
}

TEST_F(DaemonTest, ASignalToRestartIsObeyedAtOnceWhileIdle) {
    when_idle([&] { daemon_.restart_when_idle(); });
    EXPECT_EQ(run(), DaemonEnd::restart);
    EXPECT_EQ(server_.calls["take_job"], 1);
}

TEST_F(DaemonTest, ASignalToRestartCountsAlsoWhileTheServerIsAway) {
    server_.is_down = [&](const std::string&) { return true; };
    server_.at(introduction(3), [&] { daemon_.restart_when_idle(); });
    EXPECT_EQ(run(), DaemonEnd::restart);
}

TEST_F(DaemonTest, AReloadWaitsForTheJob) {
    server_.jobs = {simple_job, R"({"job_id": "j2"})"};
    after({"agent_state", "test", ""}, [&] { daemon_.reload_when_idle(); });
    EXPECT_EQ(run(), DaemonEnd::reload);
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(server_.jobs.size(), 1U);
}

TEST_F(DaemonTest, ObeysTheModeOfANewerServerAndShowsItAsItsState) {
    when_idle([&] {
        if (server_.is_behind(job_request(2))) return daemon_.stop();
        server_.agent.mode = "maintenance";
        server_.agent.comment = "new cable";
    });
    server_.at(poll(4), [&] { server_.agent.mode = "online"; });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(states(), ElementsAre("waiting", "maintenance new cable", "waiting"));
}

TEST_F(DaemonTest, ARestartThatTheModeGoesOnShowingIsObeyedOnce) {
    server_.agent.mode = "restart";
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.calls["take_job"], 1);
}

TEST_F(DaemonTest, PostsItsStateAgainIfTheServerShowsAnother) {
    when_idle([&] {
        if (server_.is_behind(job_request(2))) return daemon_.stop();
        server_.agent.state = "cleanup";  // as after a post that was lost
    });
    run();
    EXPECT_THAT(states(), ElementsAre("waiting", "waiting"));
}

TEST_F(DaemonTest, SaysThatItIsThereWhenTheServerHasNotHeardOfItForADay) {
    server_.agent = record("offline", "being repaired");
    server_.at(poll(2), [&] { clock_.advance(std::chrono::hours(25)); });
    stop_at(poll(4));
    run();
    EXPECT_THAT(states(), ElementsAre("offline being repaired", "offline being repaired"));
}

TEST_F(DaemonTest, AJobThatIsTooLongIsReportedAsFailed) {
    server_.too_long_job = TooLongJob{"j1", 16U << 20};
    run();
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(server_.output_of(Phase::setup),
              "ERROR: the job cannot be run: the job is longer than the 16 MiB that are accepted\n");
    EXPECT_EQ(server_.calls["take_job"], 2);
}

TEST_F(DaemonTest, MasksWellKnownCredentialsInItsLogWhileNoJobIsInHand) {
    config_.trebuchet.mask = *mask_options(config_.trebuchet);
    Daemon daemon(parts_for(loop_, server_));
    server_.jobs = {R"({"job_id": "j1", "test_data": {"secrets": {"https://ci:pa55w0rd-of-ci@git.example": "x"}}})"};
    server_.on_effect = [&](const json& effect) {
        if (effect == json{"idle"}) daemon.stop();
    };
    testing::internal::CaptureStderr();
    daemon.run();
    const auto log = testing::internal::GetCapturedStderr();
    EXPECT_THAT(log, HasSubstr("https://ci:**"));
    EXPECT_THAT(log, Not(HasSubstr("pa55w0rd")));
    EXPECT_THAT(server_.output_of(Phase::setup), HasSubstr("https://ci:**"));
    EXPECT_THAT(server_.output_of(Phase::setup), Not(HasSubstr("pa55w0rd")));
}

TEST_F(DaemonTest, TellsItsStatus) {
    std::vector<std::string> told;
    on_status_ = [&](const std::string& status) {
        if (told.empty() || told.back() != status) told.push_back(status);
    };
    server_.jobs = {simple_job};
    run();
    EXPECT_THAT(told, ElementsAre("waiting", "running job j1", "waiting"));
}

TEST_F(DaemonTest, StoppedWhenNothingIsLeftToRunTheJobIsAsGoodAsWithoutIt) {
    server_.jobs = {simple_job};
    command(Phase::test, "echo ran");
    command(Phase::reserve, "echo reserved");
    after({"agent_state", "allocate", ""}, [&] {
        daemon_.stop();
        // So that the grace, of no time, is over before the next phase.
        server_.at({"post_job_state", server_.calls["post_job_state"] + 1},
                   [&] { loop_.wait_for(std::chrono::milliseconds(1)); });
    });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(server_.effects, Contains(json({"result", {{"status", {{"test", 0}}}, {"job_state", "complete"}}})));
}

}  // namespace
}  // namespace trebuchet
