#include "tests/agent/daemon/daemon_fixture.hpp"
#include "tests/fakes/file_limit.hpp"
#include "tests/fakes/masked.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr const char* document = R"({"job_id": "j1", "job_queue": "rpi4", "job_status_webhook": "http://hook",
    "provision_data": {"url": "x"}, "test_data": {"test_cmds": "x", "secrets": {"TOKEN": "s3cret-value"}}})";
constexpr const char* interrupted =
    "ERROR: the agent was interrupted (crash or power cut) while the test phase ran: the "
    "phase was ended.\n";

/// What a killed agent leaves on disk and in memory, and the next one.
class RecoveryTest : public DaemonFixture {
  protected:
    RecoveryTest() {
        command(Phase::provision, "echo provisioning");
        command(Phase::test, "echo testing");
        command(Phase::cleanup, "echo cleaning");
        server_.job_states["j1"] = "test";
        server_.agent.job_id = "j1";
    }
    void note(const JournalEntry& entry) { JobFolder(loop_, folder_ / "state/jobs", "j1").commit(entry); }
    void take() {
        const auto job = parse_job(document);
        ASSERT_TRUE(job);
        note(JournalEntry::taken("j1", clock_.wall_time()));
        note(JournalEntry::read(*job, no_masks()));
    }
    void keep_in_memory(std::string_view added = "") {
        RuntimeCopy copy(folder_ / "secret", "j1");
        ASSERT_TRUE(copy.save(document, "a key"));
        if (!added.empty()) copy.add(added);
    }
    void leave(const std::string& name, const std::string& text) {
        const auto path = folder_ / "run/j1" / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    void enter(Phase phase) {
        note(JournalEntry::entered(phase));
        note(JournalEntry::starts(phase, "TREBUCHET_PHASE_ID=of-a-test-that-never-ran"));
    }
    [[nodiscard]] std::string serial_of(Phase phase) const {
        std::string text;
        for (const auto& fragment : server_.fragments) {
            if (fragment.series == LogSeries::serial && fragment.phase == phase) text += fragment.text.bytes();
        }
        return text;
    }
    void expect_nothing_left() const {
        EXPECT_FALSE(fs::exists(folder_ / "state/jobs/j1"));
        EXPECT_FALSE(fs::exists(folder_ / "secret/j1"));
        EXPECT_FALSE(fs::exists(folder_ / "run/j1"));
    }
};

TEST_F(RecoveryTest, EndsThePhaseThatRanCleansUpAndDelivers) {
    take();
    keep_in_memory("added-value");
    note(JournalEntry::ran({{Phase::provision, 0}}));
    enter(Phase::test);
    leave("test-serial.log", "boot s3cret-value added-value\n");
    leave("artifacts/file", "x");
    run();
    EXPECT_THAT(server_.output_of(Phase::test), EndsWith(interrupted));
    EXPECT_THAT(server_.output_of(Phase::test), Not(HasSubstr("testing")));
    EXPECT_THAT(server_.output_of(Phase::provision), Not(HasSubstr("provisioning")));
    EXPECT_THAT(server_.output_of(Phase::cleanup), HasSubstr("cleaning"));
    EXPECT_THAT(serial_of(Phase::test), HasSubstr("boot **"));
    EXPECT_THAT(serial_of(Phase::test), Not(HasSubstr("-value")));
    EXPECT_FALSE(server_.archive.empty());
    EXPECT_THAT(
        server_.effects,
        Contains(json(
            {"result", {{"status", {{"provision", 0}, {"test", 247}, {"cleanup", 0}}}, {"job_state", "complete"}}})));
    EXPECT_THAT(server_.effects, Contains(json({"agent_job_id", ""})));
    EXPECT_THAT(server_.effects, Contains(json({"event", "test_fail", ""})));
    EXPECT_THAT(server_.effects, Contains(json({"event", "job_end", "test_fail"})));
    EXPECT_EQ(states().back(), "waiting");
    expect_nothing_left();
}

TEST_F(RecoveryTest, SendsTheLogThatWasNotSentAndNoByteTwice) {
    take();
    keep_in_memory();
    enter(Phase::test);
    {
        JobFolder folder(loop_, folder_ / "state/jobs", "j1");
        Spool spool(folder.worker(), folder.path(), output_spool_name, {});
        LogUploader uploader(loop_, clock_, server_, spool, LogSeries::output, "j1", [] { return no_waiting(); });
        uploader.add(Phase::test, masked("one\n"));
        ASSERT_TRUE(uploader.flush(std::chrono::seconds(10)));
        server_.lost_logs = {{2, LostLog::with_fragment}};
        uploader.add(Phase::test, masked("two\n"));
        loop_.run_until([&] { return server_.attempts.size() == 2; });
        uploader.add(Phase::test, masked("three\n"));
    }
    run();
    EXPECT_EQ(server_.output_of(Phase::test), "one\ntwo\nthree\n\n" + std::string(interrupted));
    expect_nothing_left();
}

TEST_F(RecoveryTest, WithoutTheCopyInMemoryWhatIsLeftIsDeletedWithANote) {
    take();
    enter(Phase::test);
    leave("test-serial.log", "boot s3cret-value\n");
    leave("device-info.json", R"({"device_info": {"x": "s3cret-value"}})");
    leave("artifacts/file", "s3cret-value");
    run();
    EXPECT_THAT(server_.output_of(Phase::test),
                HasSubstr("[deleted, since the secrets that may be in there are not known any more: device-info.json, "
                          "artifacts, test-serial.log]\n"));
    EXPECT_EQ(serial_of(Phase::test), "");
    EXPECT_TRUE(server_.archive.empty());
    EXPECT_TRUE(server_.device_info.is_null());
    EXPECT_THAT(server_.output_of(Phase::cleanup), HasSubstr("cleaning"));
    EXPECT_EQ(server_.job_states["j1"], "complete");
    expect_nothing_left();
}

TEST_F(RecoveryTest, BetweenTwoPhasesTheRestIsLeftOut) {
    take();
    keep_in_memory();
    note(JournalEntry::entered(Phase::provision));
    note(JournalEntry::ran({{Phase::provision, 0}}));
    run();
    EXPECT_THAT(server_.output_of(Phase::test), HasSubstr("skipping this and later phases.\n"));
    EXPECT_THAT(
        server_.effects,
        Contains(json(
            {"result", {{"status", {{"provision", 0}, {"test", 247}, {"cleanup", 0}}}, {"job_state", "complete"}}})));
    expect_nothing_left();
}

TEST_F(RecoveryTest, AfterTheLastPhaseNothingCountsAsLeftOut) {
    take();
    keep_in_memory();
    note(JournalEntry::ran({{Phase::provision, 0}, {Phase::test, 3}, {Phase::cleanup, 0}}));
    run();
    EXPECT_EQ(server_.output_of(Phase::cleanup), "");
    EXPECT_THAT(
        server_.effects,
        Contains(json(
            {"result", {{"status", {{"provision", 0}, {"test", 3}, {"cleanup", 0}}}, {"job_state", "complete"}}})));
    expect_nothing_left();
}

TEST_F(RecoveryTest, ACancelledJobStaysCancelled) {
    take();
    keep_in_memory();
    enter(Phase::test);
    server_.job_states["j1"] = "cancelled";
    run();
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
    expect_nothing_left();
}

TEST_F(RecoveryTest, AJobWithADecidedOutcomeIsOnlyDelivered) {
    take();
    keep_in_memory();
    note(JournalEntry::decided({{Phase::test, 3}}, JobState::complete));
    server_.on_effect = [this](const json& effect) {
        if (effect == json{"idle"} && !fs::exists(folder_ / "state/jobs/j1")) daemon_.stop();
    };
    run();
    EXPECT_EQ(server_.output_of(Phase::cleanup), "");
    EXPECT_EQ(server_.job_states["j1"], "complete");
    expect_nothing_left();
}

TEST_F(RecoveryTest, CleanupIsLeftOutWhenItFailedTooOften) {
    take();
    keep_in_memory();
    enter(Phase::cleanup);
    for (int i = 0; i < 3; ++i) note(JournalEntry::recovers());
    run();
    EXPECT_THAT(server_.output_of(Phase::cleanup), Not(HasSubstr("cleaning")));
    EXPECT_EQ(server_.job_states["j1"], "complete");
    expect_nothing_left();
}

TEST_F(RecoveryTest, CleanupRunsOnAFullDisk) {
    take();
    keep_in_memory();
    enter(Phase::test);
    leave("file", "x");
    const FileLimit full(0);
    run();
    EXPECT_THAT(server_.output_of(Phase::cleanup), HasSubstr("cleaning"));
    EXPECT_EQ(server_.job_states["j1"], "complete");
    expect_nothing_left();
}

TEST_F(RecoveryTest, WhatACrashLeavesOfAFolderThatWasBeingRemovedIsNoJob) {
    fs::create_directories(folder_ / "state/jobs/.removed-j1");
    server_.job_states["j1"] = "complete";
    run();
    EXPECT_EQ(server_.calls["post_outcome"], 0);
    EXPECT_FALSE(fs::exists(folder_ / "state/jobs/.removed-j1"));
}

TEST_F(RecoveryTest, AnAgentThatIsOfflineDeliversWhatIsLeft) {
    take();
    note(JournalEntry::decided({{Phase::test, 3}}, JobState::complete));
    server_.agent = record("offline", "by hand");
    after({"result", {{"status", {{"test", 3}}}, {"job_state", "complete"}}}, [&] { daemon_.stop(); });
    stop_at(poll(1000));
    run();
    EXPECT_EQ(server_.job_states["j1"], "complete");
}

TEST_F(RecoveryTest, AJobOfWhichNothingIsKnownButItsIdGetsAnEnd) {
    fs::create_directories(folder_ / "state/jobs/j1/journal");
    keep_in_memory();
    run();
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_THAT(server_.output_of(Phase::cleanup), HasSubstr("cleaning"));
    expect_nothing_left();
}

TEST_F(RecoveryTest, AFolderThatAJobPlantedIsNoJob) {
    server_.agent.job_id = "";
    fs::create_directories(folder_ / "state/jobs/planted");
    fs::create_directories(folder_ / "secret/planted-too/recovery");
    run();
    EXPECT_EQ(server_.calls["post_outcome"], 0);
    EXPECT_TRUE(fs::exists(folder_ / "state/jobs/planted.set-aside-1"));
    EXPECT_FALSE(fs::exists(folder_ / "secret/planted-too"));
    EXPECT_EQ(states().back(), "waiting");
}

TEST_F(RecoveryTest, AJobWhoseJournalIsLostGoesOnWithItsRunFolder) {
    keep_in_memory();
    RuntimeCopy copy(folder_ / "secret", "j1");
    ASSERT_TRUE(copy.read());
    copy.note_run_folder();
    leave("test-serial.log", "boot");
    run();
    EXPECT_THAT(server_.output_of(Phase::cleanup), HasSubstr("cleaning"));
    expect_nothing_left();
}

TEST_F(RecoveryTest, AFolderOfTheHostThatHasTheNameOfTheJobStays) {
    take();
    keep_in_memory();
    leave("kept", "x");
    run();
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(text_of(folder_ / "run/j1/kept"), "x");
}

TEST_F(RecoveryTest, AJobThatWasKeptAndNotYetNotedGetsAnEnd) {
    keep_in_memory();
    run();
    EXPECT_THAT(server_.output_of(Phase::provision), HasSubstr("skipping this and later phases.\n"));
    EXPECT_THAT(server_.output_of(Phase::cleanup), HasSubstr("cleaning"));
    EXPECT_EQ(server_.job_states["j1"], "complete");
    expect_nothing_left();
}

TEST_F(RecoveryTest, ASerialLogThatWasSpooledInPartIsSentOnce) {
    take();
    keep_in_memory();
    {
        JobFolder folder(loop_, folder_ / "state/jobs", "j1");
        Spool spool(folder.worker(), folder.path(), serial_spool_name, {});
        spool.add(Phase::provision, masked("of provision\n"));
        folder.commit(JournalEntry::entered(Phase::test));
        folder.commit(JournalEntry::starts(Phase::test, "TREBUCHET_PHASE_ID=of-a-test-that-never-ran", spool.end()));
        spool.add(Phase::test, masked("one\ntw"));
    }
    leave("test-serial.log", "one\ntwo\n");
    run();
    EXPECT_EQ(serial_of(Phase::provision), "of provision\n");
    EXPECT_EQ(serial_of(Phase::test), "one\ntwo\n");
    expect_nothing_left();
}

TEST_F(RecoveryTest, TakesBackTheJobThatAKilledAgentHadInHandAccordingToTheServer) {
    server_.agent.state = "test";
    server_.job_states["j1"] = "complete";
    run();
    EXPECT_THAT(server_.effects, Contains(json({"agent_job_id", ""})));
}

TEST_F(RecoveryTest, AJobIsNotRunTwice) {
    take();
    note(JournalEntry::decided({{Phase::test, 3}}, JobState::complete));
    server_.is_down = [](const std::string& call) { return call == "post_outcome"; };
    server_.jobs = {document};
    run();
    EXPECT_EQ(server_.output_of(Phase::test), "");
    EXPECT_TRUE(fs::exists(folder_ / "state/jobs/j1"));
}

TEST_F(RecoveryTest, ADeviceThatCouldNotBeRecoveredKeepsTheAgentOffline) {
    take();
    keep_in_memory();
    note(JournalEntry::ran({{Phase::provision, 46}}));
    after({"agent_job_id", ""}, [&] { daemon_.stop(); });
    run();
    EXPECT_EQ(server_.agent.state, "offline");
    EXPECT_EQ(server_.agent.comment, recovery_failed_comment("j1"));
}

TEST_F(RecoveryTest, Code46OfCleanupDoesNotTakeTheAgentOfflineAsInAJobThatWasNotInterrupted) {
    take();
    keep_in_memory();
    note(JournalEntry::ran({{Phase::test, 0}, {Phase::cleanup, 46}}));
    after({"agent_job_id", ""}, [&] { daemon_.stop(); });
    run();
    EXPECT_NE(server_.agent.state, "offline");
}

}  // namespace
}  // namespace trebuchet
