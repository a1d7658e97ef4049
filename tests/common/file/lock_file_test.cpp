#include "common/file/lock_file.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <csignal>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

TEST(LockFileTest, HasOneHolderAtATime) {
    const TemporaryFolder folder;
    const auto path = folder / "lock";
    {
        const auto lock = LockFile::take(path);
        ASSERT_TRUE(lock);
        const auto second = LockFile::take(path);
        ASSERT_FALSE(second);
        EXPECT_TRUE(second.error().is_held);
        EXPECT_EQ(second.error().holder, ::getpid());
        EXPECT_THAT(second.error().reason.message(),
                    HasSubstr(path.string() + " is held by process " + std::to_string(::getpid())));
    }
    EXPECT_TRUE(LockFile::take(path)) << "released";
}

TEST(LockFileTest, IsReleasedWhenItsHolderIsKilled) {
    const TemporaryFolder folder;
    const auto path = folder / "lock";
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const auto child = ::fork();
    if (child == 0) {
        const auto lock = LockFile::take(path);
        const char byte = lock ? 'y' : 'n';
        if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
        ::pause();
        ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_EQ(byte, 'y');
    const auto while_held = LockFile::take(path);
    ASSERT_FALSE(while_held);
    EXPECT_EQ(while_held.error().holder, child);
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(LockFile::take(path));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST(LockFileTest, ReportsWhyAFileCannotBeUsed) {
    const TemporaryFolder folder;
    const auto refused = LockFile::take(folder / "missing" / "lock");
    ASSERT_FALSE(refused);
    EXPECT_FALSE(refused.error().is_held);
    EXPECT_THAT(refused.error().reason.message(), HasSubstr("No such file"));
}

TEST(LockFileTest, KeepsASecondHolderOutWhenItsFileWasRemoved) {
    const TemporaryFolder folder;
    const auto path = folder / "lock";
    const auto lock = LockFile::take(path);
    ASSERT_TRUE(lock);
    for (int i = 0; i < 2; ++i) {
        std::filesystem::remove(path);
        const auto second = LockFile::take(path);
        ASSERT_FALSE(second);
        EXPECT_TRUE(second.error().is_held);
        EXPECT_THAT(second.error().reason.message(), HasSubstr("is held by a process whose lock file was removed"));
    }
}

TEST(LockFileTest, SetsAsideWhatIsNoFileAndFollowsNoLink) {
    const TemporaryFolder folder;
    std::filesystem::create_symlink(folder / "elsewhere", folder / "lock");
    EXPECT_TRUE(LockFile::take(folder / "lock"));
    EXPECT_FALSE(std::filesystem::exists(folder / "elsewhere"));
    EXPECT_TRUE(std::filesystem::is_symlink(folder / "lock.set-aside-1"));
    std::filesystem::remove(folder / "lock");
    ASSERT_EQ(::mkfifo((folder / "lock").c_str(), 0600), 0);
    EXPECT_TRUE(LockFile::take(folder / "lock"));
    EXPECT_TRUE(std::filesystem::is_fifo(folder / "lock.set-aside-2"));
}

}  // namespace
}  // namespace trebuchet
