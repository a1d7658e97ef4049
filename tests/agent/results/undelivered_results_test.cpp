#include "agent/results/undelivered_results.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_job_server.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
        job_.id = "j1";
        job_.public_document = R"({"job_id": "j1"})";
    }
    void write(const std::string& name, const std::string& text) {
        const auto path = folder_ / "results" / name;
        fs::create_directories(path.parent_path());
        folder_.write("results/" + name, text);
    }
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
    Job job_;
    FakeJobServer server_{loop_};
    UndeliveredResults results_{loop_, config_, server_, clock_, [] { return 1.0; }};
};

TEST_F(UndeliveredResultsTest, AreDeliveredAndThenGone) {
    ASSERT_TRUE(results_.keep_outcome(job_, {{Phase::test, 7}}, "complete"));
    results_.deliver_if_due();
    EXPECT_THAT(server_.effects, ElementsAre(json{"result", {{"status", {{"test", 7}}}, {"job_state", "complete"}}}));
    EXPECT_FALSE(is_kept("j1"));
    results_.deliver_if_due();
    EXPECT_EQ(server_.calls["post_outcome"], 1);
}

TEST_F(UndeliveredResultsTest, AreKeptPrivate) {
    ASSERT_TRUE(results_.keep_outcome(job_, {}, "complete"));
    EXPECT_EQ(fs::status(folder_ / "results/j1").permissions(), fs::perms::owner_all);
    EXPECT_EQ(fs::status(folder_ / "results/j1/testflinger-outcome.json").permissions(),
              fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(UndeliveredResultsTest, AreTriedAgainAfterGrowingWaits) {
    ASSERT_TRUE(results_.keep_outcome(job_, {}, "complete"));
    server_.is_down = [](const std::string& call) { return call == "post_outcome"; };
    std::vector<int> tries;
    for (int i = 0; i < 8; ++i) {
        results_.deliver_if_due();
        tries.push_back(server_.calls["post_outcome"]);
        clock_.advance(std::chrono::seconds(10));
    }
    EXPECT_THAT(tries, ElementsAre(1, 2, 2, 3, 3, 3, 3, 4));
    EXPECT_TRUE(is_kept("j1"));
}

TEST_F(UndeliveredResultsTest, ACancelledJobStaysCancelled) {
    ASSERT_TRUE(results_.keep_outcome(job_, {}, "complete"));
    server_.job_states["j1"] = "cancelled";
    results_.deliver_if_due();
    EXPECT_EQ(server_.job_states["j1"], "cancelled");
    EXPECT_EQ(server_.calls["post_outcome"], 1);
}

TEST_F(UndeliveredResultsTest, ArtifactsComeWithThem) {
    ASSERT_TRUE(results_.keep_artifacts(job_, folder_.write("archive", "the archive")));
    ASSERT_TRUE(results_.keep_outcome(job_, {}, "complete"));
    results_.deliver_if_due();
    EXPECT_EQ(server_.archive, "the archive");
    const json outcome{"result", {{"status", json::object()}, {"job_state", "complete"}}};
    EXPECT_THAT(server_.effects, ElementsAre(json::array({"artifact"}), outcome));
}

TEST_F(UndeliveredResultsTest, ArtifactsAreNotSentAgainWhenOnlyTheOutcomeFailed) {
    ASSERT_TRUE(results_.keep_artifacts(job_, folder_.write("archive", "the archive")));
    ASSERT_TRUE(results_.keep_outcome(job_, {}, "complete"));
    server_.is_down = [this](const std::string& call) { return call == "post_outcome" && server_.calls[call] == 1; };
    results_.deliver_if_due();
    clock_.advance(std::chrono::minutes(1));
    results_.deliver_if_due();
    EXPECT_EQ(server_.calls["post_artifacts"], 1);
    EXPECT_EQ(server_.calls["post_outcome"], 2);
    EXPECT_FALSE(is_kept("j1"));
}

TEST_F(UndeliveredResultsTest, OfTheReferenceAgentAreDeliveredMasked) {
    write("j2/testflinger.json", R"({"job_id": "j2", "test_data": {"secrets": {"TOKEN": "s3cret-value"}}})");
    write("j2/testflinger-outcome.json", R"({"status": {"setup": 0, "test": 1, "odd": 2}})");
    write("j2/artifacts/log", "with s3cret-value\n");
    results_.deliver_if_due();
    EXPECT_EQ(unpacked("artifacts/log").find("s3cret"), std::string::npos);
    EXPECT_EQ(server_.effects.back(),
              json({"result", {{"status", {{"setup", 0}, {"test", 1}}}, {"job_state", "complete"}}}));
    EXPECT_FALSE(is_kept("j2"));
}

TEST_F(UndeliveredResultsTest, WhatNobodyCanMaskIsDeletedAndTheOutcomeDelivered) {
    write("j2/testflinger.json", "no job");
    write("j2/testflinger-outcome.json", R"({"status": {"test": 0}})");
    write("j2/artifacts/log", "with s3cret-value\n");
    results_.deliver_if_due();
    EXPECT_EQ(server_.calls["post_artifacts"], 0);
    EXPECT_EQ(server_.job_states["j2"], "complete");
    EXPECT_FALSE(is_kept("j2"));
}

TEST_F(UndeliveredResultsTest, AnOutcomeThatIsNoneIsDeleted) {
    for (const auto* text : {"", "[]", "nonsense"}) {
        write("j2/testflinger-outcome.json", text);
        clock_.advance(std::chrono::minutes(5));
        results_.deliver_if_due();
        EXPECT_FALSE(is_kept("j2"));
    }
    fs::create_directories(folder_ / "results/j3");
    fs::create_symlink("/etc/passwd", folder_ / "results/j3/testflinger-outcome.json");
    clock_.advance(std::chrono::minutes(5));
    results_.deliver_if_due();
    EXPECT_FALSE(is_kept("j3"));
    EXPECT_THAT(server_.effects, IsEmpty());
}

TEST_F(UndeliveredResultsTest, WhatIsNoJobsFolderIsLeftAlone) {
    write("README", "somebody's");
    write("not a job/file", "somebody's");
    results_.deliver_if_due();
    EXPECT_TRUE(is_kept("README"));
    EXPECT_TRUE(is_kept("not a job/file"));
}

TEST_F(UndeliveredResultsTest, TheRestOfALogGoesOnWhereItWas) {
    LogUploader uploader(loop_, clock_, server_, LogSeries::output, "j1", [] { return 1.0; });
    uploader.add(Phase::setup, MaskSet::none()->mask("set up\n"));
    ASSERT_TRUE(uploader.flush(std::chrono::seconds(10)));
    server_.lost_logs = {{2, LostLog::with_fragment}};
    uploader.add(Phase::test, MaskSet::none()->mask("arrived, but who knows \xFF\n"));
    loop_.run_until([&] { return server_.attempts.size() == 2; });
    uploader.add(Phase::test, MaskSet::none()->mask("waits\n"));
    uploader.add(Phase::cleanup, MaskSet::none()->mask("waits too\n"));
    const auto left = uploader.give_up();
    EXPECT_EQ(left.next_number, 2U);
    ASSERT_TRUE(results_.keep_log(job_, LogSeries::output, left));

    results_.deliver_if_due();
    EXPECT_EQ(server_.output_of(Phase::setup), "set up\n");
    EXPECT_EQ(server_.output_of(Phase::test), "arrived, but who knows \xFF\nwaits\n");
    EXPECT_EQ(server_.output_of(Phase::cleanup), "waits too\n");
    EXPECT_EQ(server_.fragments.back().number, 3U);
    EXPECT_EQ(server_.attempts.size(), 4U);
    EXPECT_FALSE(is_kept("j1"));
}

TEST_F(UndeliveredResultsTest, ARestOfALogThatIsNoneIsDeletedAndTheOutcomeDelivered) {
    for (const auto* text : {"", "[]", "{}", R"({"next_number": -1})", R"({"next_number": 1, "waiting": [7]})",
                             R"({"next_number": 1, "waiting": [{"phase": "walk", "text": "x"}]})",
                             R"({"next_number": 1, "under_way": {"phase": "test", "text": "x"}})"}) {
        ASSERT_TRUE(results_.keep_outcome(job_, {}, "complete"));
        write("j1/output-rest.json", text);
        results_.deliver_if_due();
        EXPECT_FALSE(is_kept("j1")) << text;
    }
    EXPECT_EQ(server_.calls["post_outcome"], 7);
    EXPECT_TRUE(server_.fragments.empty());
}

TEST_F(UndeliveredResultsTest, OneThatFailsDoesNotKeepTheOthersBack) {
    ASSERT_TRUE(results_.keep_outcome(job_, {}, "complete"));
    Job second;
    second.id = "j2";
    second.public_document = "{}";
    ASSERT_TRUE(results_.keep_outcome(second, {}, "complete"));
    server_.is_down = [this](const std::string& call) { return call == "post_outcome" && server_.calls[call] == 1; };
    results_.deliver_if_due();
    EXPECT_TRUE(is_kept("j1"));
    EXPECT_FALSE(is_kept("j2"));
}

}  // namespace
}  // namespace trebuchet
