#include "agent/metrics/status_file.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>
#include <memory>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

class StatusFileTest : public testing::Test {
  protected:
    StatusFileTest() {
        AgentStatus identity;
        identity.agent_id = "rpi4-1";
        board_.begin(identity);
    }
    void open(bool is_wanted = true) {
        file_ =
            std::make_unique<StatusFile>(loop_, board_, folder_ / "status", is_wanted, [this] { return undelivered_; });
    }
    [[nodiscard]] AgentStatus shown() const { return parse_status(text_of(path_)).value_or(AgentStatus{}); }

    EventLoop loop_;
    FakeClock clock_;
    TemporaryFolder folder_;
    fs::path path_ = folder_ / "status/rpi4-1/status.json";
    StatusBoard board_{clock_};
    std::uint64_t undelivered_ = 0;
    std::unique_ptr<StatusFile> file_;
};

TEST_F(StatusFileTest, ShowsEachChangeAtOnce) {
    open();
    EXPECT_EQ(shown().state, "starting");
    board_.state_is("waiting", {});
    EXPECT_EQ(shown().state, "waiting");
    struct stat info {};
    ASSERT_EQ(::stat(path_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0640U);
}

TEST_F(StatusFileTest, ShowsOutputWithTheNextChangeOrAtTheEnd) {
    open();
    board_.output_came();
    EXPECT_EQ(shown().last_output, std::nullopt);
    board_.state_is("test", {});
    EXPECT_EQ(shown().last_output, clock_.wall_time());
    clock_.advance(std::chrono::seconds(7));
    board_.output_came();
    file_.reset();
    EXPECT_EQ(shown().last_output, clock_.wall_time());
}

TEST_F(StatusFileTest, ShowsWhatWaitsForTheServer) {
    undelivered_ = 7;
    open();
    board_.state_is("waiting", {});
    EXPECT_EQ(shown().undelivered_bytes, 7U);
}

TEST_F(StatusFileTest, IsLeftOutWhereNobodyMadeTheFolder) {
    open(false);
    board_.state_is("waiting", {});
    EXPECT_FALSE(fs::exists(folder_ / "status"));
}

TEST_F(StatusFileTest, ReplacesWhatStandsInItsPlaceAndFollowsNoLink) {
    fs::create_directories(path_.parent_path());
    const auto other = folder_.write("other", "kept");
    fs::create_symlink(other, path_);
    fs::create_symlink(other, path_.string() + ".new");
    open();
    EXPECT_EQ(text_of(other), "kept");
    EXPECT_EQ(shown().agent_id, "rpi4-1");
}

TEST_F(StatusFileTest, IsWrittenThoughSomebodyPlantedAFolderInItsWay) {
    fs::create_directories(path_.string() + ".new/planted");
    open();
    EXPECT_EQ(shown().agent_id, "rpi4-1");
}

TEST_F(StatusFileTest, ThatCannotBeWrittenHoldsNobodyUp) {
    fs::create_directories(path_ / "in the way");
    open();
    board_.state_is("waiting", {});
    EXPECT_TRUE(fs::is_directory(path_));
}

}  // namespace
}  // namespace trebuchet
