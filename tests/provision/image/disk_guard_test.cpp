#include "provision/image/disk_guard.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// /sys and /proc of a host with the disk sda (8:0) and its partitions sda1 (8:1) and sda2 (8:2).
class DiskGuard : public testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(folder_ / "sys/dev/block");
        fs::create_directories(folder_ / "proc/self");
        device("sda", "8:0");
        for (const auto* part : {"1", "2"}) {
            device("sda/sda" + std::string(part), "8:" + std::string(part));
            folder_.write("sys/devices/block/sda/sda" + std::string(part) + "/partition", part);
        }
        mounted("8:16");
        swap("");
    }
    void device(const std::string& name, const std::string& number) const {
        const auto path = folder_ / ("sys/devices/block/" + name);
        fs::create_directories(path / "holders");
        std::ofstream(path / "dev") << number << "\n";
        fs::create_directory_symlink(path, folder_ / ("sys/dev/block/" + number));
    }
    void mounted(const std::string& number) const {
        folder_.write("proc/self/mountinfo", "22 1 0:21 / /proc rw - proc proc rw\n29 1 " + number +
                                                 " / /boot/firmware rw,relatime shared:1 - ext4 /dev/sda2 rw\n");
    }
    void swap(const std::string& device) const {
        folder_.write("proc/swaps", "Filename\t\t\t\tType\t\tSize\n" + device);
    }
    [[nodiscard]] std::string refusal(unsigned int minor) const {
        const auto result = check_disk_is_unused(8, minor, {folder_ / "proc", folder_ / "sys"});
        return result ? "" : result.error().message();
    }

    TemporaryFolder folder_;
};

TEST_F(DiskGuard, AcceptsAnUnusedDisk) {
    EXPECT_EQ(refusal(0), "");
    EXPECT_EQ(refusal(1), "");
}

TEST_F(DiskGuard, RefusesADiskWithAMountedPartition) {
    mounted("8:2");
    EXPECT_EQ(refusal(0), "/dev/sda2 is mounted on \"/boot/firmware\": not writing to a disk in use");
    EXPECT_NE(refusal(2), "");
    EXPECT_EQ(refusal(1), "") << "a partition of its own";
}

TEST_F(DiskGuard, RefusesAPartitionOfAMountedDisk) {
    mounted("8:0");
    EXPECT_NE(refusal(0), "");
    EXPECT_NE(refusal(1), "");
}

TEST_F(DiskGuard, RefusesSwap) {
    swap("/dev/sda1                               partition\t1000\n");
    EXPECT_EQ(refusal(0), "/dev/sda1 is swap: not writing to a disk in use");
}

TEST_F(DiskGuard, RefusesADiskHeldByDeviceMapperOrRaid) {
    fs::create_directories(folder_ / "sys/devices/block/sda/sda1/holders/dm-0");
    EXPECT_EQ(refusal(0), "/dev/sda1 is held by dm-0: not writing to a disk in use");
}

TEST_F(DiskGuard, RefusesAnUnknownDevice) {
    EXPECT_THAT(refusal(9), HasSubstr("cannot find the block device 8:9"));
}

}  // namespace
}  // namespace trebuchet
