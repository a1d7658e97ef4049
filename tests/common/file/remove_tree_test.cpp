#include "common/file/remove_tree.hpp"

#include "common/file/safe_file.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

/// As on NFS and ZFS.
bool rename_knows_no_flags = false;

}  // namespace

/// In place of the C library's.
extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to,
                         unsigned int flags) noexcept {
    if (rename_knows_no_flags && flags != 0) {
        errno = EINVAL;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

/// As few descriptors as that are left to this process, for one test.
class FewDescriptors {
  public:
    explicit FewDescriptors(rlim_t count) {
        ::getrlimit(RLIMIT_NOFILE, &former_);
        const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(next);
        const rlimit few{static_cast<rlim_t>(next) + count, former_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &few);
    }
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &former_); }
    FewDescriptors(const FewDescriptors&) = delete;
    FewDescriptors& operator=(const FewDescriptors&) = delete;

  private:
    rlimit former_{};
};

void make_levels(const fs::path& top, int count) {
    ::mkdir(top.c_str(), 0700);
    int folder = ::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int level = 0; level < count; ++level) {
        ::mkdirat(folder, "level", 0700);
        const int next = ::openat(folder, "level", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ::close(folder);
        folder = next;
    }
    ::close(::openat(folder, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ::close(folder);
}

TEST(RemoveTree, NeedsFewDescriptorsForThousandsOfLevels) {
    const TemporaryFolder folder;
    make_levels(folder / "deep", 5'000);
    {
        const FewDescriptors few(8);
        const auto removed = remove_tree(folder / "deep");
        EXPECT_TRUE(removed) << removed.error().message();
    }
    EXPECT_FALSE(fs::exists(folder / "deep"));
}

TEST(RemoveTree, RemovesWideFoldersInFolders) {
    const TemporaryFolder folder;
    for (int number = 0; number < 300; ++number) {
        const auto below = folder / "wide" / std::to_string(number) / "a" / "b";
        fs::create_directories(below);
        std::ofstream(below / "file") << "x";
        std::ofstream(below.parent_path() / "trebuchet-removed-7") << "x";
    }
    EXPECT_TRUE(remove_tree(folder / "wide"));
    EXPECT_FALSE(fs::exists(folder / "wide"));
}

TEST(RemoveTree, FollowsNoLinkAndNoMount) {
    const TemporaryFolder folder;
    fs::create_directories(folder / "kept");
    const auto kept = folder.write("kept/file", "x");
    fs::create_directories(folder / "top" / "mount");
    fs::create_directory_symlink(folder / "kept", folder / "top" / "link");
    const auto mount = folder / "top" / "mount";
    if (::mount((folder / "kept").c_str(), mount.c_str(), nullptr, MS_BIND, nullptr) == 0) {
        EXPECT_FALSE(remove_tree(folder / "top"));
        EXPECT_TRUE(fs::exists(kept));
        ::umount2(mount.c_str(), MNT_DETACH);
    }
    EXPECT_TRUE(remove_tree(folder / "top"));
    EXPECT_TRUE(fs::exists(kept));
    EXPECT_FALSE(fs::exists(folder / "top"));
}

TEST(RemoveTree, TakesPermissionsBack) {
    const TemporaryFolder folder;
    const auto locked = folder / "top" / "locked" / "below";
    fs::create_directories(locked);
    std::ofstream(locked / "file") << "x";
    for (const auto& path : {locked, locked.parent_path(), locked.parent_path().parent_path()}) {
        ::chmod(path.c_str(), 0);
    }
    EXPECT_TRUE(remove_tree(folder / "top"));
    EXPECT_FALSE(fs::exists(folder / "top"));
}

TEST(RemoveTree, NeedsNoFlagsOfRename) {
    const TemporaryFolder folder;
    make_levels(folder / "deep", 50);
    std::ofstream(folder / "deep" / "trebuchet-removed-0") << "x";
    rename_knows_no_flags = true;
    const auto removed = remove_tree(folder / "deep");
    rename_knows_no_flags = false;
    EXPECT_TRUE(removed) << removed.error().message();
}

TEST(RemoveTree, EndsOnceItsTimeIsOverOrItIsToldToStop) {
    const TemporaryFolder folder;
    make_levels(folder / "deep", 50);
    const auto late = remove_tree(folder / "deep", RemoveLimits{std::chrono::milliseconds(0)});
    ASSERT_FALSE(late);
    EXPECT_NE(late.error().message().find("timed out"), std::string::npos) << late.error().message();
    const std::atomic<bool> stop{true};
    EXPECT_FALSE(remove_tree(folder / "deep", RemoveLimits{std::chrono::hours(1), &stop}));
    EXPECT_TRUE(fs::exists(folder / "deep" / "level"));
    EXPECT_TRUE(remove_tree(folder / "deep"));
}

TEST(SetAside, MakesANameFreeAndKeepsAFolderForLater) {
    const TemporaryFolder folder;
    make_levels(folder / "deep", 3);
    folder.write("file", "x");
    folder.write("kept", "x");
    EXPECT_TRUE(set_aside(folder / "deep"));
    EXPECT_TRUE(set_aside(folder / "file"));
    EXPECT_TRUE(set_aside(folder / "nothing"));
    EXPECT_FALSE(fs::exists(folder / "deep") || fs::exists(folder / "file"));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 2);
    EXPECT_TRUE(remove_set_aside(folder.path(), {}));
    EXPECT_EQ(fs::directory_iterator(folder.path())->path(), folder / "kept");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
    EXPECT_TRUE(remove_set_aside(folder / "nowhere", {}));
}

TEST(RemoveTree, RemovesAFileOrALinkInPlaceOfAFolder) {
    const TemporaryFolder folder;
    folder.write("file", "x");
    fs::create_symlink("/nowhere", folder / "link");
    EXPECT_TRUE(remove_tree(folder / "file"));
    EXPECT_TRUE(remove_tree(folder / "link"));
    EXPECT_TRUE(remove_tree(folder / "nothing"));
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace trebuchet
