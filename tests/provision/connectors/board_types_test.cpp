// The types of boards that another system of theirs, or a control host, writes: cm3, dragonboard, netboot.

#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/connectors/stage_fixture.hpp"

#include <csignal>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ComputeModule3 : public StageTest {
  protected:
    ComputeModule3() {
        config_.control_host = "host-1";
        config_.reboot_script = {"powerctl cycle"};
        config_.scalars["test_device"] = "/dev/sda";
        job_ = R"({"provision_data": {"url": "http://images.example/cm3.img.xz?a=1&b=2"},
                   "test_data": {"test_password": "hunter22"}})";
        when("lsblk -J", CommandExited{0}, R"({"blockdevices": [{"name": "sda", "children": [{"name": "sda1"}]}]})");
        when("test -f", CommandExited{1});
    }
};

TEST_F(ComputeModule3, IsWrittenAsADiskOfTheControlHostAndBootsAgain) {
    EXPECT_EQ(run("cm3"), 0);
    EXPECT_EQ(count("sudo timeout -k 10 1800 cm3-installer 'http://images.example/cm3.img.xz?a=1&b=2'"), 1U);
    EXPECT_EQ(count("pi3gpio set high 16"), 1U);
    EXPECT_EQ(count("pi3gpio set low 16"), 1U);
    EXPECT_EQ(count("powerctl cycle"), 2U);
    for (const auto& words : commands_.commands) {
        for (const auto& word : words) EXPECT_EQ(word.find("hunter22"), std::string::npos);
    }
}

TEST_F(ComputeModule3, AfterAFailureItBootsItsOwnSystemAgain) {
    when("cm3-installer", CommandExited{1}, "no usb boot device\n");
    const auto result = run("cm3");
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_THAT(result.error().message, HasSubstr("no usb boot device"));
    EXPECT_EQ(count("pi3gpio set low 16"), 1U);
    rules_.back().end = CommandInterrupted{SIGTERM};
    EXPECT_EQ(run("cm3"), 143);
    EXPECT_EQ(count("pi3gpio set low 16"), 2U);
}

TEST_F(ComputeModule3, OnlyABrokenPowerSwitchTakesItOffline) {
    for (const auto& end :
         {CommandEnd(CommandExited{1}), CommandEnd(CommandTimedOut{}), CommandEnd(CommandNotStarted{2})}) {
        when("powerctl", end);
        EXPECT_EQ(run("cm3").error().exit_code, 46);
        rules_.pop_back();
    }
    when("ssh-copy-id", CommandExited{255});
    EXPECT_EQ(run("cm3").error().exit_code, 1);
}

/// The reference logs in to a host named None, and waits 600 s without device_ip.
TEST_F(ComputeModule3, RefusesAnIncompleteConfigurationBeforeItTouchesTheModule) {
    config_.control_host.clear();
    EXPECT_THAT(run("cm3").error().message, HasSubstr("control_host is missing"));
    config_.control_host = "host-1";
    config_.scalars["test_device"] = "sda; reboot";
    EXPECT_THAT(run("cm3").error().message, HasSubstr("test_device"));
    config_.device_ip.clear();
    EXPECT_THAT(run("cm3").error().message, HasSubstr("device_ip is missing"));
    EXPECT_EQ(count("pi3gpio"), 0U);
}

class DragonBoard : public StageTest {
  protected:
    DragonBoard() {
        config_.reboot_script = {"powerctl cycle"};
        config_.scalars["test_device"] = "/dev/mmcblk1";
        config_.scalars["snappy_writable_partition"] = "/dev/mmcblk1p8";
        config_.lists["select_master_script"] = {"powerctl boot master"};
        config_.lists["select_test_script"] = {"powerctl boot test"};
        job_ = R"({"provision_data": {"url": "http://images.example/core.img"}})";
    }
    void nothing_answers() {
        when("snap -h", CommandExited{255});
        when("cat /etc/issue", CommandExited{255});
    }
};

TEST_F(DragonBoard, GoesOfflineOnlyIfTheMasterStaysAwayOrTheSwitchHangs) {
    nothing_answers();
    EXPECT_EQ(run("dragonboard").error().exit_code, 46) << "in no known state after a restart";
    when("powerctl cycle", CommandTimedOut{});
    EXPECT_EQ(run("dragonboard").error().exit_code, 46);
    rules_.back().end = CommandExited{1};
    EXPECT_EQ(run("dragonboard").error().exit_code, 1);
}

TEST_F(DragonBoard, ATestImageThatCannotBeLeftTakesItOffline) {
    when("cat /etc/issue", CommandExited{0}, "Ubuntu\n");
    const auto error = run("dragonboard").error();
    EXPECT_EQ(error.exit_code, 46);
    EXPECT_THAT(error.message, HasSubstr("Could not reboot to master!"));
    when("powerctl boot master", CommandExited{3});
    EXPECT_EQ(run("dragonboard").error().exit_code, 1);
}

TEST_F(DragonBoard, IsStoppedWhileItWaitsForTheMaster) {
    nothing_answers();
    interrupt_.signal = SIGTERM;
    interrupt_.waits_before_signal = 3;
    EXPECT_EQ(run("dragonboard"), 143);
}

TEST_F(DragonBoard, AHalfWrittenImageIsCleared) {
    when("cat /etc/issue", CommandExited{0}, "Debian GNU/Linux 12\n");
    when("snap -h", CommandExited{1});
    when("lsblk -rno", CommandExited{9}, "the control host uses it: /\n");
    EXPECT_FALSE(run("dragonboard"));
    EXPECT_EQ(count("sgdisk"), 0U) << "the disk of the master's own system";
    rules_.pop_back();
    when("powerctl boot test", CommandExited{1});
    EXPECT_FALSE(run("dragonboard"));
    EXPECT_EQ(count("sudo sgdisk -o /dev/mmcblk1"), 1U);
    rules_.back().end = CommandInterrupted{SIGTERM};
    when("sgdisk", CommandExited{127});
    EXPECT_FALSE(run("dragonboard"));
    EXPECT_EQ(count("sgdisk"), 2U);
}

/// The reference crashes on each of these, one of them after it has written the image.
TEST_F(DragonBoard, RefusesAnIncompleteConfigurationBeforeItTouchesTheBoard) {
    config_.lists.erase("select_test_script");
    EXPECT_THAT(run("dragonboard").error().message, HasSubstr("select_test_script is missing"));
    config_.scalars["test_device"] = "mmcblk1";
    EXPECT_THAT(run("dragonboard").error().message, HasSubstr("test_device"));
    job_ = "{}";
    EXPECT_FALSE(run("dragonboard"));
    EXPECT_TRUE(commands_.commands.empty());
}

class NetBoot : public StageTest {
  protected:
    NetBoot() {
        config_.reboot_script = {"powerctl cycle"};
        config_.scalars["test_device"] = "/dev/sda";
        job_ = R"({"provision_data": {"url": "http://images.example/core.img"}})";
    }
};

TEST_F(NetBoot, RefusesWhatWouldChangeTheRequestToTheDevice) {
    config_.scalars["test_device"] = "/dev/sda&x=1";
    EXPECT_THAT(run("netboot").error().message, HasSubstr("test_device"));
    config_.reboot_script.clear();
    EXPECT_THAT(run("netboot").error().message, HasSubstr("reboot_script is missing"));
    job_ = R"({"provision_data": null})";
    EXPECT_THAT(run("netboot").error().message, HasSubstr("Error downloading image"));
    EXPECT_TRUE(commands_.commands.empty());
}

}  // namespace
}  // namespace trebuchet
