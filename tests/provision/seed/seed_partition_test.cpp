#include "provision/seed/seed_partition.hpp"

#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/fakes.hpp"
#include "tests/provision/support/program.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

/// Runs the script by a real shell, with a `mount` that shows a folder instead of a partition.
class SeedPartition : public testing::Test {
  protected:
    SeedPartition() {
        program("sudo", "exec \"$@\"");
        program("mount", "test -d \"$1\" || exit 32\nrmdir \"$2\" && ln -s \"$1\" \"$2\"");
        program("umount", "test -L \"$1\" || exit 1\nrm \"$1\" && mkdir \"$1\"");
        program("sync", "");
    }
    void program(const std::string& name, const std::string& body) {
        std::filesystem::create_directories(folder_ / "bin");
        folder_.write("bin/" + name, "#!/bin/sh\n" + body + "\n");
        std::filesystem::permissions(folder_ / "bin" / name, std::filesystem::perms::owner_all);
    }
    std::string partition(const std::string& name, const std::string& holds) {
        std::filesystem::create_directories(folder_ / name / holds);
        return (folder_ / name).string();
    }
    int seed(const std::vector<std::string>& partitions) {
        Ssh ssh({"board", 0, "me", "", SecretString()}, commands_);
        (void)seed_partition(ssh, partitions, (folder_ / "mnt").string(), {"tester", SecretString("hunter'22")});
        folder_.write("script", commands_.inputs.front());
        Program shell({"/bin/sh", (folder_ / "script").string()}, folder_.path(),
                      {{"PATH", (folder_ / "bin").string() + ":/usr/bin:/bin"}});
        return shell.wait();
    }
    [[nodiscard]] std::string text(const std::string& file) const {
        return read_file(folder_ / file, 100'000).value_or("");
    }

    TemporaryFolder folder_;
    FakeCommandRunner commands_;
};

TEST_F(SeedPartition, TakesTheFirstPartitionWithASystem) {
    const auto boot = partition("boot", "overlays");
    EXPECT_EQ(seed({boot, partition("root", "etc")}), 0);
    EXPECT_NE(text("root/var/lib/cloud/seed/nocloud-net/user-data").find("tester"), std::string::npos);
    EXPECT_NE(text("root/etc/sudoers.d/90-trebuchet").find("tester ALL"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "boot/var"));
    EXPECT_FALSE(std::filesystem::is_symlink(folder_ / "mnt")) << "unmounted";
}

/// The reference writes it below system-data even where there is none.
TEST_F(SeedPartition, SudoersGoWhereTheSystemIs) {
    EXPECT_EQ(seed({partition("writable", "system-data")}), 0);
    EXPECT_TRUE(std::filesystem::exists(folder_ / "writable/system-data/etc/sudoers.d/90-trebuchet"));
    commands_.inputs.clear();
    EXPECT_EQ(seed({partition("root", "etc")}), 0);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "root/system-data"));
}

TEST_F(SeedPartition, Core20HasAConfigurationFile) {
    EXPECT_EQ(seed({partition("seed", "snaps"), partition("data", "x")}), 0);
    EXPECT_NE(text("seed/data/etc/cloud/cloud.cfg.d/99_nocloud.cfg").find("hunter'22"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "data/var"));
}

TEST_F(SeedPartition, AnUnknownSystemIsTakenForAClassicOneOnTheLastPartition) {
    EXPECT_EQ(seed({partition("a", "x"), partition("b", "x")}), 0);
    EXPECT_TRUE(std::filesystem::exists(folder_ / "b/var/lib/cloud/seed/nocloud-net/meta-data"));
}

TEST_F(SeedPartition, APartitionThatCannotBeMountedIsLeftOut) {
    EXPECT_EQ(seed({(folder_ / "swap").string(), partition("root", "etc")}), 0);
    EXPECT_TRUE(std::filesystem::exists(folder_ / "root/etc/sudoers.d/90-trebuchet"));
    commands_.inputs.clear();
    EXPECT_EQ(seed({partition("first", "etc"), (folder_ / "swap").string()}), 0) << "found before the last one";
}

TEST_F(SeedPartition, NothingIsWrittenWhereAMountFails) {
    EXPECT_NE(seed({(folder_ / "missing").string()}), 0);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "mnt"));
}

}  // namespace
}  // namespace trebuchet
