#include "agent/daemon/disk_space.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr std::uint64_t no_limit = ~std::uint64_t{0};

TEST(DiskSpace, IsThatOfTheNearestFolderThatIsThere) {
    const TemporaryFolder folder;
    const auto there = disk_space(folder.path());
    const auto below = disk_space(folder / "not/yet/there");
    ASSERT_TRUE(there && below);
    EXPECT_GT(there->bytes, 0U);
    EXPECT_GT(there->files, 0U);
    EXPECT_NEAR(static_cast<double>(below->bytes), static_cast<double>(there->bytes), 1e9);
}

TEST(DiskSpace, IsRefusedWhereNothingCanBeWritten) {
    const auto proc = disk_space("/proc/sys/kernel/ostype");  // a file
    ASSERT_FALSE(proc);
    EXPECT_NE(proc.error().message().find("/proc/sys/kernel/ostype cannot be written to"), std::string::npos);
}

TEST(DiskSpace, IsRefusedWithoutPermission) {
    const TemporaryFolder folder;
    EXPECT_EXIT(
        {
            if (::geteuid() == 0)
                std::_Exit(::seteuid(65534) == 0 && ::setreuid(65534, 65534) == 0 && !disk_space(folder.path()) ? 0
                                                                                                                : 1);
            std::_Exit(disk_space("/usr") ? 1 : 0);
        },
        testing::ExitedWithCode(0), "");
}

TEST(DiskSpace, CountsTheBytesOfFilesBelowThatHaveSuchNames) {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder / "a/b");
    folder.write("one", std::string(1000, 'x'));
    folder.write("a/b/two", std::string(234, 'x'));
    folder.write("a/three", std::string(5, 'x'));
    std::filesystem::create_symlink("/bin/sh", folder / "a/one-link");
    EXPECT_EQ(bytes_below(folder.path(), {"on", "two"}, no_limit), 1234U);
    EXPECT_EQ(bytes_below(folder.path(), {""}, no_limit), 1239U);
    EXPECT_EQ(bytes_below(folder / "none", {""}, no_limit), 0U);
}

}  // namespace
}  // namespace trebuchet
