#include "common/event/folder_watcher.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

class FolderWatcherTest : public testing::Test {
  protected:
    /// Runs the loop until the watcher has told of this file.
    bool is_told_of(const std::string& name) {
        return loop_.wait_for(std::chrono::seconds(30), [&] { return told_.contains(name); });
    }

    EventLoop loop_;
    TemporaryFolder folder_;
    std::set<std::string> told_;
    FolderWatcher watcher_{loop_, folder_.path(), [this](const std::string& name) { told_.insert(name); }};
};

TEST_F(FolderWatcherTest, TellsOfFilesThatAppearAreRenamedAndDisappear) {
    folder_.write("a", "text");
    EXPECT_TRUE(is_told_of("a"));
    std::filesystem::rename(folder_ / "a", folder_ / "b");
    EXPECT_TRUE(is_told_of("b"));
    told_.clear();
    std::filesystem::remove(folder_ / "b");
    EXPECT_TRUE(is_told_of("b"));
}

TEST_F(FolderWatcherTest, OfAFolderThatIsMissingTellsNothing) {
    const FolderWatcher none(loop_, folder_ / "missing", [](const std::string&) { FAIL(); });
    folder_.write("last", "");
    EXPECT_TRUE(is_told_of("last"));
}

}  // namespace
}  // namespace trebuchet
