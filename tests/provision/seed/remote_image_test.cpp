#include "provision/seed/remote_image.hpp"

#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/fakes.hpp"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Runs remote scripts locally, with fake `sudo` and `mount`.
class RemoteImageTest : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(folder_ / "bin");
        program("sudo", "exec \"$@\"");
        program("mount", "echo \"$1\" >\"$2.mounted\"");
        program("umount", "rm \"$1.mounted\"; rm -rf \"$1\"; mkdir \"$1\"");
        program("mountpoint", "test -e \"$2.mounted\"");
        program("blkid", "case $* in */dev/sda2) echo writable ;; *) exit 2 ;; esac");
        program("lsblk",
                R"(echo '{"blockdevices": [{"name": "sda", "children": [{"name": "sda1", "label": "system-boot"},
                   {"name": "sda2", "label": null}, {"name": "sda3", "label": null}, {"name": "../x", "label": "y"}]}]}')");
        commands_.answer = [this](const Command& command) { return shell(command); };
    }
    void program(const char* name, const std::string& text) const {
        const auto path = folder_.write(std::string("bin/") + name, "#!/bin/sh\n" + text + "\n");
        fs::permissions(path, fs::perms::owner_all);
    }
    CommandResult shell(const Command& command) const {
        const auto script = folder_.write("script", std::string(command.input.value_or("")));
        const auto line = "PATH='" + (folder_ / "bin").string() + "':$PATH sh '" + script.string() + "' >'" +
                          (folder_ / "output").string() + "' 2>&1";
        const int code = std::system(line.c_str());  // NOLINT(concurrency-mt-unsafe)
        return {CommandExited{WEXITSTATUS(code)}, text_of(folder_ / "output")};
    }
    [[nodiscard]] fs::path in_image(const std::string& path) const { return folder_ / ("mnt/" + path); }

    TemporaryFolder folder_;
    FakeCommandRunner commands_;
    Ssh ssh_{{"control", 0, "ubuntu", "", SecretString()}, commands_};
    RemoteImage image_{ssh_, "/dev/sda", folder_ / "mnt"};
};

TEST_F(RemoteImageTest, MountsPartitionsByLabelAndUnmountsAll) {
    ASSERT_TRUE(image_.mount());
    EXPECT_EQ(text_of(in_image("system-boot.mounted")), "/dev/sda1\n");
    EXPECT_EQ(text_of(in_image("writable.mounted")), "/dev/sda2\n") << "lsblk knows no label, blkid does";
    EXPECT_FALSE(fs::exists(in_image("y")));
    ASSERT_TRUE(image_.unmount());
    EXPECT_FALSE(fs::exists(folder_ / "mnt"));
}

TEST_F(RemoteImageTest, FailsToMountAnImageWithoutLabels) {
    program("lsblk", R"(echo '{"blockdevices": [{"name": "sda"}]}')");
    EXPECT_THAT(image_.mount().error().message(), HasSubstr("no partition with a label could be mounted"));
    program("lsblk", "echo nonsense");
    EXPECT_THAT(image_.mount().error().message(), HasSubstr("lsblk said \"nonsense"));
}

TEST_F(RemoteImageTest, RecognisesTheTypesByTheirFiles) {
    ASSERT_TRUE(image_.mount());
    ASSERT_TRUE(image_.type());
    ASSERT_NE(*image_.type(), nullptr);
    EXPECT_STREQ((*image_.type())->name, "unknown") << "it may run cloud-init all the same";
    const std::vector<std::pair<std::string, std::string>> steps{
        {"cloudimg-rootfs/etc/cloud/cloud.cfg", "ubuntu-cpc"},
        {"ubuntu-seed/snaps/x", "core20"},
        {"writable/etc/x", "ubuntu"},
        {"writable/system-data/x", "core"},
        {"writable/usr/bin/firefox", "pi-desktop-before-25"},
        {"writable/lib/firmware/nvidia-tegra1/x", "tegra"},
    };
    for (const auto& [file, name] : steps) {
        fs::create_directories(in_image(file).parent_path());
        folder_.write("mnt/" + file, "");
        ASSERT_NE(*image_.type(), nullptr);
        EXPECT_EQ((*image_.type())->name, name);
    }
    const std::vector<std::pair<std::string, std::string>> stamps{
        {"iot-tiger-classic-server-22-20240101", "ce-oem-iot"},
        {"iot-tiger-classic-desktop-2204-1", "ce-oem-iot"},
        {"iot-tiger-classic-server-2404-1", "ce-oem-iot-24"},
        {"iot-tiger-core-24-1", "ce-oem-iot-24"},
        {"iot-tiger-core-20-1", "ce-oem-iot"}};
    fs::create_directories(in_image("writable/.disk"));
    for (const auto& [stamp, name] : stamps) {
        folder_.write("mnt/writable/.disk/info", stamp + "\n");
        EXPECT_EQ((*image_.type())->name, name) << stamp;
    }
}

TEST_F(RemoteImageTest, WritesTheSeedForEachType) {
    const FirstUser user{"ubuntu", SecretString("it's $(a) secret\nEOF")};
    const std::string content(user_data(user));
    for (const auto& type : image_types()) {
        fs::remove_all(folder_ / "mnt");
        ASSERT_TRUE(image_.add_user(type, user)) << type.name;
        const auto seed = in_image(type.folder);
        if (type.form == SeedForm::config_file) {
            EXPECT_EQ(text_of(seed / "99_nocloud.cfg"), nocloud_config(user).c_str());
        }
        if (type.form == SeedForm::nocloud || type.form == SeedForm::user_data) {
            EXPECT_EQ(text_of(seed / "user-data"), content) << type.name;
        }
        EXPECT_EQ(fs::exists(seed / "meta-data"), type.form == SeedForm::nocloud) << type.name;
        if (*type.root != '\0') {
            EXPECT_EQ(text_of(in_image(std::string(type.root) + "/etc/sudoers.d/90-trebuchet")), sudoers_line(user));
        }
    }
    for (const auto& argv : commands_.commands) EXPECT_THAT(argv.back(), testing::Not(HasSubstr("secret")));
}

TEST_F(RemoteImageTest, ReplacesALinkInsteadOfWritingThroughIt) {
    const auto seed = in_image("writable/var/lib/cloud/seed/nocloud-net");
    fs::create_directories(seed);
    folder_.write("elsewhere", "untouched");
    fs::create_symlink(folder_ / "elsewhere", seed / "user-data");
    ASSERT_TRUE(image_.add_user(*find_image_type("ubuntu"), {"ubuntu", SecretString("x")}));
    EXPECT_EQ(text_of(folder_ / "elsewhere"), "untouched");
    EXPECT_FALSE(fs::is_symlink(seed / "user-data"));
}

TEST(ParseLsblk, RefusesOtherText) {
    for (const auto* text : {"", "[]", "{}", R"({"blockdevices": []})", R"({"blockdevices": [1]})"}) {
        EXPECT_FALSE(parse_lsblk(text)) << text;
    }
    EXPECT_TRUE(parse_lsblk(R"({"blockdevices": [{"children": [1, {"name": 2}, {"name": "a/b"}]}]})")->empty());
}

}  // namespace
}  // namespace trebuchet
