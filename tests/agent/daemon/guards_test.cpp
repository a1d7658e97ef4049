#include "agent/daemon/guards.hpp"

#include "tests/fakes/fake_clock.hpp"

#include <map>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;

/// Both times can be set apart from each other.
class SetClock final : public Clock {
  public:
    [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return steady; }
    [[nodiscard]] std::chrono::system_clock::time_point wall_time() const override { return wall; }
    void advance(seconds time) {
        steady += time;
        wall += time;
    }

    std::chrono::steady_clock::time_point steady{hours(1)};
    std::chrono::system_clock::time_point wall{seconds(1'800'000'000)};
};

class GuardsTest : public testing::Test {
  protected:
    GuardsTest() {
        limits_.folders = {{"/run-folder", 256 * mebibyte}, {"/state", mebibyte}};
        limits_.most_undelivered = 80 * mebibyte;
        probes_.disk = [this](const std::filesystem::path& path) -> Result<DiskSpace> {
            const auto found = disk_.find(path.string());
            if (found == disk_.end()) return fail(path.string() + " cannot be written to: Read-only file system");
            return found->second;
        };
        probes_.undelivered = [this] { return undelivered_; };
        probes_.token_problem = [this] { return token_problem_; };
        probes_.server_is_ahead = [this] { return ahead_; };
        guards_.emplace(clock_, limits_, probes_);
    }

    std::string reason_for(Guard guard) {
        const auto held = guards_->check();
        if (!held) return "none";
        EXPECT_EQ(name_of(held->by), name_of(guard));
        return held->reason;
    }
    bool is_free() { return !guards_->check(); }

    SetClock clock_;
    GuardLimits limits_;
    GuardProbes probes_;
    std::map<std::string, DiskSpace> disk_{{"/run-folder", {1024 * mebibyte, 100'000}},
                                           {"/state", {1024 * mebibyte, 100'000}}};
    std::uint64_t undelivered_ = 0;
    std::string token_problem_;
    std::optional<seconds> ahead_;
    std::optional<Guards> guards_;
};

TEST_F(GuardsTest, LetWorkBeTakenWhenAllIsWell) {
    ahead_ = seconds(-3);
    EXPECT_TRUE(is_free());
}

TEST_F(GuardsTest, HoldBackWhenAFolderIsNearlyFull) {
    disk_["/state"].bytes = mebibyte - 1;
    EXPECT_THAT(reason_for(Guard::disk), AllOf(HasSubstr("/state has 0 MiB free"), HasSubstr("at least 1 MiB")));
}

TEST_F(GuardsTest, WaitForSomeMoreFreeDiskBeforeTheyLetGo) {
    disk_["/run-folder"].bytes = 200 * mebibyte;
    EXPECT_FALSE(is_free());
    disk_["/run-folder"].bytes = 257 * mebibyte;
    EXPECT_FALSE(is_free());
    disk_["/run-folder"].bytes = 288 * mebibyte;
    EXPECT_TRUE(is_free());
    disk_["/run-folder"].bytes = 257 * mebibyte;
    EXPECT_TRUE(is_free());
}

TEST_F(GuardsTest, HoldBackWhenAFolderCanNotBeWrittenTo) {
    disk_.erase("/run-folder");
    EXPECT_THAT(reason_for(Guard::disk), HasSubstr("Read-only file system"));
    disk_["/run-folder"] = {1024 * mebibyte, 100'000};
    EXPECT_TRUE(is_free());
}

TEST_F(GuardsTest, HoldBackWithoutInodes) {
    disk_["/run-folder"].files = 3;
    EXPECT_THAT(reason_for(Guard::disk), HasSubstr("inodes"));
}

TEST_F(GuardsTest, HoldBackWhenTooMuchIsUndelivered) {
    undelivered_ = 80 * mebibyte;
    EXPECT_THAT(reason_for(Guard::spool), HasSubstr("80 MiB of earlier jobs"));
    undelivered_ = 79 * mebibyte;
    EXPECT_FALSE(is_free());
    undelivered_ = 69 * mebibyte;
    EXPECT_TRUE(is_free());
}

TEST_F(GuardsTest, HoldBackInTheYearsBeforeTheAgentWasMade) {
    clock_.wall = std::chrono::system_clock::time_point(seconds(86'400));
    EXPECT_THAT(reason_for(Guard::clock), HasSubstr("1970-01-02"));
}

TEST_F(GuardsTest, WaitForAClockThatWasSetToSettle) {
    EXPECT_TRUE(is_free());
    clock_.wall += hours(2);
    EXPECT_THAT(reason_for(Guard::clock), HasSubstr("by 7200 seconds"));
    clock_.advance(seconds(59));
    EXPECT_FALSE(is_free());
    clock_.advance(seconds(1));
    EXPECT_TRUE(is_free());
    clock_.wall -= hours(2);
    EXPECT_THAT(reason_for(Guard::clock), HasSubstr("by -7200 seconds"));
}

TEST_F(GuardsTest, DoNotMindAClockThatDrifts) {
    for (int poll = 0; poll < 100; ++poll) {
        clock_.advance(seconds(10));
        clock_.wall += seconds(1);
        EXPECT_TRUE(is_free());
    }
}

TEST_F(GuardsTest, HoldBackWhenTheServersClockIsADayAway) {
    ahead_ = hours(25);
    EXPECT_THAT(reason_for(Guard::clock), HasSubstr("25 hours ahead"));
    ahead_ = -hours(25);
    EXPECT_FALSE(is_free());
    ahead_ = hours(23);
    EXPECT_TRUE(is_free());
}

TEST_F(GuardsTest, HoldBackWhenTheTokenIsBad) {
    token_problem_ = "the token file /x holds no token";
    EXPECT_EQ(reason_for(Guard::token), token_problem_);
    token_problem_.clear();
    EXPECT_TRUE(is_free());
}

}  // namespace
}  // namespace trebuchet
