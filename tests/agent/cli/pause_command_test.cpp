#include "agent/cli/pause_command.hpp"

#include "agent/daemon/host_pause.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

namespace fs = std::filesystem;

TEST(Duration, IsANumberWithAUnit) {
    EXPECT_EQ(parse_duration("90s"), seconds(90));
    EXPECT_EQ(parse_duration("30m"), seconds(1800));
    EXPECT_EQ(parse_duration("1h30m"), seconds(5400));
    EXPECT_EQ(parse_duration("366d"), seconds(366 * 86400));
}

TEST(Duration, WithoutAUnitOrBeyondItsLimitsIsRefused) {
    const std::vector<std::string> all_bad{"",     "90", "h", "2 h", "2w", "-1h", "0s", "367d", "9223372036854775807d",
                                           "1h-1s"};
    for (const auto& bad : all_bad) EXPECT_FALSE(parse_duration(bad)) << bad;
}

class PauseCommand : public testing::Test {
  protected:
    PauseCommand() {
        fs::create_directories(state_);
        options_.place.root = root_.path();
        options_.place.name = "rpi4-1";
        options_.note = "new cable";
    }
    int pause() {
        return told_by([&] { return pause_command(options_); });
    }
    int resume() {
        return told_by([&] { return resume_command(options_.place); });
    }
    int told_by(const std::function<int()>& command) {
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        const int code = command();
        told_ = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
        return code;
    }
    [[nodiscard]] std::optional<HostPause> written() const { return read_pause(state_, true).value(); }

    TemporaryFolder root_;
    fs::path state_ = root_ / "var/lib/trebuchet/rpi4-1";
    PauseOptions options_;
    std::string told_;
};

TEST_F(PauseCommand, LeavesANoteForTheInstanceUntilResume) {
    EXPECT_EQ(pause(), 0);
    EXPECT_THAT(told_, HasSubstr("takes no more jobs until you resume it"));
    EXPECT_EQ(written(), (HostPause{"new cable", std::nullopt}));
    EXPECT_EQ(resume(), 0);
    EXPECT_EQ(written(), std::nullopt);
    EXPECT_EQ(resume(), 0);
    EXPECT_THAT(told_, HasSubstr("is not paused"));
}

TEST_F(PauseCommand, NamesItsEndIfItHasOne) {
    options_.duration = "2h";
    EXPECT_EQ(pause(), 0);
    const auto pause = written();
    ASSERT_TRUE(pause && pause->until);
    const auto left = *pause->until - std::chrono::system_clock::now();
    EXPECT_LE(left, seconds(7200));
    EXPECT_GT(left, seconds(7000));
}

TEST_F(PauseCommand, TakesAStateFolderInsteadOfAName) {
    options_.place.name.clear();
    options_.place.state = state_;
    EXPECT_EQ(pause(), 0);
    EXPECT_TRUE(written());
}

TEST_F(PauseCommand, MakesOneLineOfTheNote) {
    options_.note = "new\ncable\x1b[2J \xff";
    EXPECT_EQ(pause(), 0);
    EXPECT_EQ(written()->note, "new cable [2J \xEF\xBF\xBD");
}

TEST_F(PauseCommand, SaysWhatIsWrong) {
    options_.duration = "soon";
    EXPECT_EQ(pause(), 2);
    EXPECT_THAT(told_, HasSubstr("--for: found \"soon\", expected a time"));
    options_.duration.clear();
    options_.note = std::string(501, 'x');
    EXPECT_EQ(pause(), 2);
    options_.note = "x";
    options_.place.name = "gone";
    EXPECT_EQ(pause(), 2);
    EXPECT_THAT(told_, HasSubstr("var/lib/trebuchet/gone: No such file or directory"));
    options_.place.name = "../rpi4-1";
    EXPECT_EQ(resume(), 2);
    options_.place.name.clear();
    EXPECT_EQ(resume(), 2);
    EXPECT_THAT(told_, HasSubstr("expected either the NAME"));
    EXPECT_EQ(written(), std::nullopt);
}

}  // namespace
}  // namespace trebuchet
