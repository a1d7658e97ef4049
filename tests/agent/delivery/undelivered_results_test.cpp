#include "agent/delivery/undelivered_results.hpp"

#include "agent/delivery/adopted_results.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_job_server.hpp"
#include "tests/fakes/file_limit.hpp"
#include "tests/fakes/masked.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

class UndeliveredResultsTest : public testing::Test {
  protected:
    UndeliveredResultsTest() {
        config_.results_basedir = folder_ / "results";
        config_.trebuchet.keep_results = std::chrono::hours(0);
        config_.trebuchet.phase_user = "another";  // so that a list of ours counts, whoever we are
    }
    void adopt() { EXPECT_TRUE(AdoptedResults::adopt_all(folder_ / "results")); }
    void write(const std::string& name, const std::string& text) {
        const auto path = folder_ / "results" / name;
        fs::create_directories(path.parent_path());
        folder_.write("results/" + name, text);
    }
    /// The job j2 with a secret, as the reference agent leaves it.
    void write_reference_job() {
        write("j2/testflinger.json", R"({"job_id": "j2", "test_data": {"secrets": {"TOKEN": "s3cret-value"}}})");
    }
    /// As a daemon that could deliver nothing leaves a job.
    void keep(const std::string& id, const PhaseStatus& status = {}, JobState state = JobState::complete) {
        JobFolder folder(loop_, folder_ / "jobs", id);
        folder.commit(JournalEntry::taken(id, clock_.wall_time()));
        folder.commit(JournalEntry::decided(status, state));
    }
    void keep_artifacts(const std::string& id) { folder_.write("jobs/" + id + "/artifacts.tar.gz", "the archive"); }
    /// The agent runs for so long.
    void pass(std::chrono::hours time) {
        clock_.advance(time);
        uptime_ += time;
    }
    void deliver() {
        results_.deliver_if_due();
        loop_.run_until([&] { return !results_.is_delivering(); });
    }
    [[nodiscard]] bool is_left(const std::string& id) const { return fs::exists(folder_ / "jobs" / id); }
    [[nodiscard]] bool is_kept(const std::string& name) const { return fs::exists(folder_ / "results" / name); }
    [[nodiscard]] std::string unpacked(const std::string& name) const {
        folder_.write("got.tar.gz", server_.archive);
        const auto unpack = "cd '" + folder_.path().string() + "' && tar xzf got.tar.gz";
        EXPECT_EQ(::system(unpack.c_str()), 0);
        return text_of(folder_ / name);
    }

    EventLoop loop_;
    FakeClock clock_;
    TemporaryFolder folder_;
    Config config_;
    FakeJobServer server_{loop_};
    int given_up_ = 0;
    bool may_give_up_ = true;
    std::chrono::milliseconds uptime_{0};
    Delivery::Parts parts_{loop_,
                           clock_,
                           config_,
                           server_,
                           [] { return 1.0; },
                           std::make_shared<OwnSecrets>(),
                           [this] { return uptime_; }};
    UndeliveredResults results_{parts_, folder_ / "jobs", [this] { ++given_up_; }, [this] { return may_give_up_; }};
};

TEST_F(UndeliveredResultsTest, AreDeliveredAndThenGone) {
    keep("j1", {{Phase::test, 7}});
    deliver();
    EXPECT_THAT(server_.effects, ElementsAre(json{"result", {{"status", {{"test", 7}}}, {"job_state", "complete"}}}));
    EXPECT_FALSE(is_left("j1"));
    deliver();
    EXPECT_EQ(server_.calls["post_outcome"], 1);
}

TEST_F(UndeliveredResultsTest, AreKeptPrivate) {
    keep("j1");
    EXPECT_EQ(fs::status(folder_ / "jobs/j1").permissions(), fs::perms::owner_all);
    EXPECT_EQ(fs::status(folder_ / "jobs/j1/journal").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(UndeliveredResultsTest, AreTriedAgainAfterGrowingWaits) {
    keep("j1");
    server_.is_down = [](const std::string& call) { return call == "post_outcome"; };
    std::vector<int> tries;
    for (int i = 0; i < 8; ++i) {
        deliver();
        tries.push_back(server_.calls["post_outcome"]);
        clock_.advance(std::chrono::seconds(10));
    }
    EXPECT_THAT(tries, ElementsAre(1, 2, 2, 3, 3, 3, 3, 4));
    EXPECT_TRUE(is_left("j1"));
}

TEST_F(UndeliveredResultsTest, ACancelledJobStaysCancelled) {
    keep("j1");
    server_.job_states["j1"] = "cancelled";
    deliver();
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
    EXPECT_EQ(server_.calls["post_outcome"], 1);
}

TEST_F(UndeliveredResultsTest, ArtifactsComeWithThem) {
    keep("j1");
    keep_artifacts("j1");
    deliver();
    EXPECT_EQ(server_.archive, "the archive");
    const json outcome{"result", {{"status", json::object()}, {"job_state", "complete"}}};
    EXPECT_THAT(server_.effects, ElementsAre(json::array({"artifact"}), outcome));
}

TEST_F(UndeliveredResultsTest, ArtifactsAreNotSentAgainWhenOnlyTheOutcomeFailed) {
    keep("j1");
    keep_artifacts("j1");
    server_.is_down = [this](const std::string& call) { return call == "post_outcome" && server_.calls[call] == 1; };
    deliver();
    clock_.advance(std::chrono::minutes(1));
    deliver();
    EXPECT_EQ(server_.calls["post_artifacts"], 1);
    EXPECT_EQ(server_.calls["post_outcome"], 2);
    EXPECT_FALSE(is_left("j1"));
}

TEST_F(UndeliveredResultsTest, AnArchiveThatAPhaseLeftIsNotSent) {
    write_reference_job();
    write("j2/testflinger-outcome.json", R"({"status": {"test": 0}})");
    write("j2/artifacts.tar.gz", "not masked: s3cret-value");
    adopt();
    deliver();
    EXPECT_EQ(server_.calls["post_artifacts"], 0);
    EXPECT_EQ(server_.job_states["j2"], "complete");
    EXPECT_FALSE(is_kept("j2"));
}

TEST_F(UndeliveredResultsTest, AFullDiskDoesNotCostTheReferenceAgentsArtifacts) {
    write("j2/testflinger.json", R"({"job_id": "j2"})");
    write("j2/testflinger-outcome.json", R"({"status": {"test": 0}})");
    write("j2/artifacts/log", "text\n");
    adopt();
    {
        const FileLimit full(0);
        deliver();
    }
    EXPECT_TRUE(is_kept("j2/artifacts/log"));
    clock_.advance(std::chrono::minutes(5));
    deliver();
    EXPECT_EQ(unpacked("artifacts/log"), "text\n");
    EXPECT_FALSE(is_kept("j2"));
    EXPECT_TRUE(fs::is_empty(folder_ / "packed"));
}

TEST_F(UndeliveredResultsTest, WithoutAnOutcomeAFolderIsNoneAndStays) {
    write("backup/file", "somebody's");
    write("j2/testflinger.json", R"({"job_id": "j2"})");
    write("j2/artifacts/log", "text\n");
    adopt();
    deliver();
    EXPECT_TRUE(is_kept("backup/file"));
    EXPECT_TRUE(is_kept("j2/artifacts/log"));
    EXPECT_THAT(server_.effects, IsEmpty());

    config_.trebuchet.keep_results = std::chrono::hours(1);
    pass(std::chrono::hours(10'000));
    adopt();
    deliver();
    EXPECT_TRUE(is_kept("backup/file"));
    EXPECT_FALSE(is_kept("j2"));
    EXPECT_EQ(given_up_, 1);
}

TEST_F(UndeliveredResultsTest, OfTheReferenceAgentAreDeliveredMasked) {
    write_reference_job();
    write("j2/testflinger-outcome.json", R"({"status": {"setup": 0, "test": 1, "odd": 2}})");
    write("j2/artifacts/log", "with s3cret-value\n");
    adopt();
    deliver();
    EXPECT_EQ(unpacked("artifacts/log").find("s3cret"), std::string::npos);
    EXPECT_EQ(server_.effects.back(),
              json({"result", {{"status", {{"setup", 0}, {"test", 1}}}, {"job_state", "complete"}}}));
    EXPECT_FALSE(is_kept("j2"));
}

TEST_F(UndeliveredResultsTest, OfTheReferenceAgentStayUntilTheyAreAdopted) {
    write_reference_job();
    write("j2/testflinger-outcome.json", R"({"status": {"test": 1}})");
    deliver();
    EXPECT_THAT(server_.effects, IsEmpty());
    EXPECT_TRUE(is_kept("j2"));
    adopt();
    // As a job does that wants to forge what became of another.
    fs::rename(folder_ / "results/j2", folder_ / "former");
    write_reference_job();
    write("j2/testflinger-outcome.json", R"({"status": {"test": 0}})");
    clock_.advance(std::chrono::minutes(5));
    deliver();
    EXPECT_THAT(server_.effects, IsEmpty());
    EXPECT_TRUE(is_kept("j2"));
}

TEST_F(UndeliveredResultsTest, AListThatMayBeAJobsDoesNotCount) {
    write_reference_job();
    write("j2/testflinger-outcome.json", R"({"status": {"test": 1}})");
    adopt();
    fs::permissions(folder_ / "results/trebuchet-adopted", fs::perms::others_write, fs::perm_options::add);
    deliver();
    EXPECT_THAT(server_.effects, IsEmpty());
    if (::geteuid() != 0) return;
    fs::permissions(folder_ / "results/trebuchet-adopted", fs::perms::others_write, fs::perm_options::remove);
    ASSERT_EQ(::chown((folder_ / "results/trebuchet-adopted").c_str(), 65'534, 65'534), 0);
    clock_.advance(std::chrono::minutes(5));
    deliver();
    EXPECT_THAT(server_.effects, IsEmpty());
    EXPECT_TRUE(is_kept("j2"));
}

TEST_F(UndeliveredResultsTest, ArtifactsOfTheReferenceAgentWithASecretAreRefusedIfSoConfigured) {
    config_.trebuchet.artifacts_masking = ArtifactsMasking::fail;
    write_reference_job();
    write("j2/testflinger-outcome.json", R"({"status": {"test": 0}})");
    write("j2/artifacts/log", "with s3cret-value\n");
    adopt();
    deliver();
    EXPECT_EQ(server_.calls["post_artifacts"], 0);
    EXPECT_EQ(server_.job_states["j2"], "complete");
    EXPECT_FALSE(is_kept("j2"));
}

TEST_F(UndeliveredResultsTest, WhatNobodyCanMaskIsDeletedAndTheOutcomeDelivered) {
    write("j2/testflinger.json", "no job");
    write("j2/testflinger-outcome.json", R"({"status": {"test": 0}})");
    write("j2/artifacts/log", "with s3cret-value\n");
    adopt();
    deliver();
    EXPECT_EQ(server_.calls["post_artifacts"], 0);
    EXPECT_EQ(server_.job_states["j2"], "complete");
    EXPECT_FALSE(is_kept("j2"));
}

TEST_F(UndeliveredResultsTest, AnOutcomeThatIsNoneIsDeleted) {
    for (const auto* text : {"", "[]", "nonsense"}) {
        write("j2/testflinger-outcome.json", text);
        clock_.advance(std::chrono::minutes(5));
        adopt();
        deliver();
        EXPECT_FALSE(is_kept("j2"));
    }
    fs::create_directories(folder_ / "results/j3");
    fs::create_symlink("/etc/passwd", folder_ / "results/j3/testflinger-outcome.json");
    clock_.advance(std::chrono::minutes(5));
    adopt();
    deliver();
    EXPECT_FALSE(is_kept("j3"));
    EXPECT_THAT(server_.effects, IsEmpty());
}

TEST_F(UndeliveredResultsTest, WhatIsNoJobsFolderIsLeftAlone) {
    write("README", "somebody's");
    write("not a job/file", "somebody's");
    adopt();
    deliver();
    EXPECT_TRUE(is_kept("README"));
    EXPECT_TRUE(is_kept("not a job/file"));
}

TEST_F(UndeliveredResultsTest, TheRestOfALogGoesOnWhereItWas) {
    {
        JobFolder folder(loop_, folder_ / "jobs", "j1");
        Spool spool(folder.worker(), folder.path(), output_spool_name, {});
        LogUploader uploader(loop_, clock_, server_, spool, LogSeries::output, "j1", [] { return 1.0; });
        uploader.add(Phase::setup, masked("set up\n"));
        ASSERT_TRUE(uploader.flush(std::chrono::seconds(10)));
        server_.lost_logs = {{2, LostLog::with_fragment}};
        uploader.add(Phase::test, masked("arrived, but who knows \xFF\n"));
        loop_.run_until([&] { return server_.attempts.size() == 2; });
        uploader.add(Phase::test, masked("waits\n"));
        uploader.add(Phase::cleanup, masked("waits too\n"));
        uploader.add(Phase::cleanup, masked("\xC3"));
        folder.commit(JournalEntry::taken("j1", clock_.wall_time()));
        folder.commit(JournalEntry::decided({}, JobState::complete));
    }
    deliver();
    EXPECT_EQ(server_.output_of(Phase::setup), "set up\n");
    EXPECT_EQ(server_.output_of(Phase::test), "arrived, but who knows \xFF\nwaits\n");
    EXPECT_EQ(server_.output_of(Phase::cleanup), "waits too\n\xC3");
    EXPECT_EQ(server_.attempts.size(), 4U);
    EXPECT_FALSE(is_left("j1"));
}

TEST_F(UndeliveredResultsTest, OneThatFailsDoesNotKeepTheOthersBack) {
    keep("j1");
    keep("j2");
    server_.is_down = [this](const std::string& call) { return call == "post_outcome" && server_.calls[call] == 1; };
    deliver();
    EXPECT_TRUE(is_left("j1"));
    EXPECT_FALSE(is_left("j2"));
}

TEST_F(UndeliveredResultsTest, AJobInHandIsLeftAlone) {
    JobFolder folder(loop_, folder_ / "jobs", "j1");
    folder.commit(JournalEntry::taken("j1", clock_.wall_time()));
    deliver();
    EXPECT_TRUE(is_left("j1"));
    EXPECT_THAT(server_.effects, IsEmpty());
}

TEST_F(UndeliveredResultsTest, AJobInHandIsLeftAloneWhenItsOutcomeIsDecided) {
    keep("j1");
    results_.job_in_hand("j1");
    deliver();
    EXPECT_TRUE(is_left("j1"));
    EXPECT_THAT(server_.effects, IsEmpty());
}

TEST_F(UndeliveredResultsTest, AreTriedAgainWhateverElseGoesOn) {
    UndeliveredResults results({loop_, clock_, config_, server_, [] { return no_waiting(); }}, folder_ / "jobs");
    keep("j1");
    server_.is_down = [this](const std::string& call) { return call == "post_outcome" && server_.calls[call] < 4; };
    results.deliver_if_due();
    loop_.run_until([&] { return !is_left("j1"); });
    EXPECT_EQ(server_.calls["post_outcome"], 4);
}

TEST_F(UndeliveredResultsTest, NobodyWaitsForThem) {
    keep("j1");
    results_.deliver_if_due();
    EXPECT_TRUE(results_.is_delivering());
    EXPECT_THAT(server_.effects, IsEmpty());
    results_.deliver_if_due();
    loop_.run_until([&] { return !results_.is_delivering(); });
    EXPECT_EQ(server_.calls["post_outcome"], 1);
}

TEST_F(UndeliveredResultsTest, AreGivenUpWhenTheyAreTooOld) {
    config_.trebuchet.keep_results = std::chrono::hours(7 * 24);
    server_.is_down = [](const std::string& call) { return call == "post_outcome"; };
    keep("j1");
    deliver();
    pass(std::chrono::hours(7 * 24));
    deliver();
    EXPECT_TRUE(is_left("j1"));
    pass(std::chrono::hours(1));
    may_give_up_ = false;
    deliver();
    EXPECT_TRUE(is_left("j1"));
    may_give_up_ = true;
    clock_.advance(std::chrono::hours(1));
    deliver();
    EXPECT_FALSE(is_left("j1"));
    EXPECT_EQ(given_up_, 1);
}

TEST_F(UndeliveredResultsTest, AClockThatIsSetMakesNothingOlder) {
    config_.trebuchet.keep_results = std::chrono::hours(1);
    server_.is_down = [](const std::string& call) { return call == "post_outcome"; };
    keep("j1");
    write("j2/testflinger.json", R"({"job_id": "j2"})");
    adopt();
    deliver();
    clock_.advance(std::chrono::hours(10'000));
    deliver();
    EXPECT_TRUE(is_left("j1"));
    EXPECT_TRUE(is_kept("j2/testflinger.json"));
    EXPECT_EQ(given_up_, 0);
}

TEST_F(UndeliveredResultsTest, GrowOlderOnlyWhileAnAgentRuns) {
    config_.trebuchet.keep_results = std::chrono::hours(3);
    server_.is_down = [](const std::string& call) { return call == "post_outcome"; };
    keep("j1");
    write("j2/testflinger.json", R"({"job_id": "j2"})");
    adopt();
    for (int hours = 0; hours < 2; ++hours) {
        UndeliveredResults of_one_agent(parts_, folder_ / "jobs", [this] { ++given_up_; });
        for (int looks = 0; looks < 3; ++looks) {
            of_one_agent.deliver_if_due();
            loop_.run_until([&] { return !of_one_agent.is_delivering(); });
            if (looks < 2) pass(std::chrono::hours(1));
        }
        uptime_ = std::chrono::hours(0);  // a reboot
        EXPECT_EQ(given_up_, hours == 0 ? 0 : 2);
    }
    EXPECT_FALSE(is_left("j1"));
    EXPECT_FALSE(is_kept("j2"));
}

TEST_F(UndeliveredResultsTest, AreTriedBeforeTheyAreGivenUp) {
    config_.trebuchet.keep_results = std::chrono::hours(1);
    keep("j1", {{Phase::test, 7}});
    server_.is_down = [](const std::string& call) { return call == "post_outcome"; };
    deliver();
    pass(std::chrono::hours(2));
    server_.is_down = [](const std::string&) { return false; };
    deliver();
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_FALSE(is_left("j1"));
}

TEST_F(UndeliveredResultsTest, AreNotTooOldOnlyBecauseTheirJournalIsDamaged) {
    config_.trebuchet.keep_results = std::chrono::hours(10'000);
    JobFolder(loop_, folder_ / "jobs", "j1").commit(JournalEntry::decided({}, JobState::complete));
    server_.is_down = [](const std::string& call) { return call == "post_outcome"; };
    deliver();
    EXPECT_TRUE(is_left("j1"));
}

TEST_F(UndeliveredResultsTest, MayBeKeptForEver) {
    server_.is_down = [](const std::string& call) { return call == "post_outcome"; };
    keep("j1");
    deliver();
    pass(std::chrono::hours(10'000));
    deliver();
    EXPECT_TRUE(is_left("j1"));
}

}  // namespace
}  // namespace trebuchet
