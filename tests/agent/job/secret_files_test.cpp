#include "agent/job/secret_files.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

struct stat info_of(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
    return info;
}

TEST(SecretFiles, CanBeReadByTheirOwnerOnly) {
    const TemporaryFolder folder;
    SecretFiles files(folder / "j1", std::nullopt);
    const auto path = files.add("KEY", SecretString("BEGIN\nEND\n"));
    ASSERT_TRUE(path) << path.error().message();
    EXPECT_EQ(path->parent_path(), folder / "j1");
    EXPECT_EQ(text_of(*path), "BEGIN\nEND\n");
    EXPECT_EQ(info_of(*path).st_mode & 07777U, 0400U);
    EXPECT_EQ(info_of(folder / "j1").st_mode & 07777U, 0700U);
}

TEST(SecretFiles, AreOverwrittenAndRemoved) {
    const TemporaryFolder folder;
    {
        SecretFiles files(folder / "j1", std::nullopt);
        const auto path = files.add("KEY", SecretString(std::string(100'000, 'x')));
        ASSERT_TRUE(path);
        fs::create_hard_link(*path, folder / "copy");
    }
    EXPECT_FALSE(fs::exists(folder / "j1"));
    ASSERT_EQ(::chmod((folder / "copy").c_str(), 0600), 0);
    EXPECT_EQ(text_of(folder / "copy"), std::string(100'000, '\0'));
}

TEST(SecretFiles, ReplaceWhatIsInTheirPlace) {
    const TemporaryFolder folder;
    fs::create_directories(folder / "j1/secret-KEY/full");
    fs::create_symlink(folder / "elsewhere", folder / "j1/secret-LINK");
    SecretFiles files(folder / "j1", std::nullopt);
    ASSERT_TRUE(files.add("KEY", SecretString("a")));
    ASSERT_TRUE(files.add("LINK", SecretString("b")));
    EXPECT_EQ(text_of(folder / "j1/secret-KEY"), "a");
    EXPECT_FALSE(fs::exists(folder / "elsewhere"));
}

TEST(SecretFiles, BelongToThePhasesUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: needs root, to give files to another user";
    const TemporaryFolder folder;
    SecretFiles files(folder / "j1", ProcessUser{4711, 4711});
    const auto path = files.add("KEY", SecretString("a"));
    ASSERT_TRUE(path) << path.error().message();
    EXPECT_EQ(info_of(*path).st_uid, 4711U);
    EXPECT_EQ(info_of(*path).st_mode & 07777U, 0400U);
    EXPECT_EQ(info_of(folder / "j1").st_mode & 07777U, 0711U);
}

}  // namespace
}  // namespace trebuchet
