#include "agent/host/tree_watch.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Waits are bounds only: each call comes from inotify.
class TreeWatchTest : public ::testing::Test {
  protected:
    void SetUp() override { fs::create_directories(tree / "a"); }
    [[nodiscard]] bool settles() {
        const bool seen = loop.wait_for(seconds(60), [&] { return settled > 0; });
        settled = 0;
        return seen;
    }

    EventLoop loop;
    SystemClock clock;
    TemporaryFolder folder;
    fs::path tree = folder / "tree";
    int settled = 0;
    TreeWatch watch{
        loop, clock, tree.string() + "/", {milliseconds(1), seconds(30), seconds(3600)}, [this] { ++settled; }};
};

TEST_F(TreeWatchTest, SeesChangesInAFolderThatCameLater) {
    watch.settle();
    ASSERT_TRUE(settles());
    fs::create_directories(tree / "b");
    ASSERT_TRUE(settles());
    static_cast<void>(folder.write("tree/b/testflinger-agent.conf", "x"));
    EXPECT_TRUE(settles());
}

TEST_F(TreeWatchTest, SeesThatTheTreeWasReplaced) {
    watch.settle();
    ASSERT_TRUE(settles());
    fs::rename(tree, folder / "old");
    ASSERT_TRUE(settles());
    fs::create_directories(tree / "c");
    ASSERT_TRUE(settles());
    watch.settle();
    ASSERT_TRUE(settles());
    static_cast<void>(folder.write("tree/c/testflinger-agent.conf", "x"));
    EXPECT_TRUE(settles());
}

TEST_F(TreeWatchTest, WaitsForGit) {
    fs::create_directories(tree / ".git");
    static_cast<void>(folder.write("tree/.git/index.lock", ""));
    watch.settle();
    ASSERT_TRUE(settles());
    static_cast<void>(folder.write("tree/a/x", "x"));
    EXPECT_FALSE(loop.wait_for(milliseconds(100), [&] { return settled > 0; }));
    fs::remove(tree / ".git/index.lock");
    EXPECT_TRUE(settles());
}

}  // namespace
}  // namespace trebuchet
