#include "provision/image/image_progress.hpp"

#include "common/file/safe_file.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class ImageProgressTest : public testing::Test {
  protected:
    [[nodiscard]] std::string logged() const { return text_of(folder_ / "log"); }

    TemporaryFolder folder_;
    FakeClock clock_;
    FileDescriptor file_{::open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)};
    ConnectorLog log_{clock_, "board-1", file_.get()};
};

TEST_F(ImageProgressTest, LogsRateAndTimeLeftEveryFewSeconds) {
    ImageProgress progress(1000, log_, clock_, -1);
    progress.update(0, 0);
    EXPECT_EQ(logged(), "");
    clock_.advance(5s);
    progress.update(250, 50 * 1024 * 1024);
    EXPECT_THAT(logged(), HasSubstr("Writing the image: 50.0 MiB written, 10.0 MiB/s, 25 %, 0:15 left\n"));
    clock_.advance(4s);
    progress.update(500, 50 * 1024 * 1024);
    EXPECT_THAT(logged(), Not(HasSubstr("50 %")));
    clock_.advance(1s);
    progress.finish(100 * 1024 * 1024);
    EXPECT_THAT(logged(), HasSubstr("Wrote the image: 100.0 MiB in 0:10, 10.0 MiB/s\n"));
}

TEST_F(ImageProgressTest, ShowsNoPercentageWithoutASize) {
    ImageProgress progress(std::nullopt, log_, clock_, -1);
    clock_.advance(5s);
    progress.update(250, 1024);
    EXPECT_THAT(logged(), HasSubstr("Writing the image: 1.0 KiB written, 205 B/s\n"));
}

TEST_F(ImageProgressTest, DrawsABarOnATerminal) {
    const FileDescriptor terminal(::open((folder_ / "terminal").c_str(), O_WRONLY | O_CREAT, 0600));
    ImageProgress progress(100, log_, clock_, terminal.get());
    clock_.advance(2s);
    progress.update(50, 2 * 1024 * 1024);
    progress.finish(4 * 1024 * 1024);
    EXPECT_EQ(text_of(folder_ / "terminal"),
              "\r\033[K[###############               ] 2.0 MiB written, 1.0 MiB/s, 50 %, 0:02 left\r\033[K");
    EXPECT_THAT(logged(), Not(HasSubstr("Writing")));
}

}  // namespace
}  // namespace trebuchet
