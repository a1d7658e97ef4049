#include "provision/maas/storage_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> lines(const std::vector<StorageStep>& steps) {
    std::vector<std::string> all;
    for (const auto& step : steps) {
        auto line = step.group + " " + step.action + " " + step.block_device;
        if (!step.partition.empty()) line += " " + step.partition;
        if (step.made_by) line += " #" + std::to_string(*step.made_by);
        for (const auto& argument : step.arguments) line += " " + argument;
        all.push_back(line);
    }
    return all;
}

std::vector<MaasBlockDevice> devices() {
    return *parse_block_devices(nlohmann::json::parse(R"([
        {"id": 98, "type": "physical", "size": 1000, "partitions": [{"id": 11}, {"id": 12}], "filesystem": null},
        {"id": 99, "type": "physical", "size": 5000, "partitions": [],
         "filesystem": {"fstype": "ext4", "mount_point": "/data"}},
        {"id": 100, "type": "physical", "size": 9000, "partitions": [],
         "filesystem": {"fstype": "ext4", "mount_point": null}},
        {"id": 101, "type": "virtual", "size": 99999, "partitions": [{"id": 77}], "filesystem": null},
        "junk", {"type": "physical"}])"));
}

std::vector<std::string> plan(const std::vector<StorageItem>& items) {
    const auto steps = plan_job_storage(items, devices());
    return steps ? lines(*steps) : std::vector{"error: " + steps.error().message()};
}

const StorageItem disk0{{"id", "disk0"}, {"type", "disk"}};
const StorageItem part1{{"id", "part1"}, {"type", "partition"}, {"device", "disk0"}, {"size", "2K"}};

TEST(StoragePlan, ClearsWhatIsNotVirtual) {
    EXPECT_THAT(lines(clearing_steps(devices())),
                ElementsAre("partition delete 98 11", "partition delete 98 12", "block-device unmount 99",
                            "block-device unformat 99", "block-device unformat 100"));
}

TEST(StoragePlan, TakesTheFirstDeviceThatIsLargeEnough) {
    EXPECT_THAT(plan({disk0, part1}), ElementsAre("partitions create 99 size=2000"));
    EXPECT_THAT(plan({disk0, {{"id", "p"}, {"type", "partition"}, {"device", "disk0"}, {"size", "1T"}}}),
                ElementsAre("error: No suitable block-device found for partition disk0 with size 1000000000000 bytes"));
}

TEST(StoragePlan, GivesEachDiskADeviceOfItsOwn) {
    EXPECT_THAT(plan({disk0,
                      {{"id", "disk1"}, {"type", "disk"}, {"name", "data"}},
                      part1,
                      {{"id", "part2"}, {"type", "partition"}, {"device", "disk1"}, {"size", "100"}}}),
                ElementsAre("block-device update 98 name=data", "partitions create 99 size=2000",
                            "partitions create 98 size=100"));
}

TEST(StoragePlan, FormatsAndMountsWhatItMade) {
    EXPECT_THAT(
        plan({disk0,
              part1,
              {{"id", "f"}, {"type", "format"}, {"volume", "part1"}, {"fstype", "ext4"}, {"label", "root"}},
              {{"id", "m"}, {"type", "mount"}, {"device", "f"}, {"path", "/boot/efi"}}}),
        ElementsAre("block-device set-boot-disk 99", "partitions create 99 size=2000",
                    "partition format 99 #1 fstype=ext4 label=root", "partition mount 99 #1 mount_point=/boot/efi"));
}

TEST(StoragePlan, ALabelAndANumberAreNotNeeded) {
    EXPECT_THAT(plan({disk0, part1, {{"id", "f"}, {"type", "format"}, {"volume", "part1"}, {"fstype", "xfs"}}}),
                ElementsAre("partitions create 99 size=2000", "partition format 99 #0 fstype=xfs"));
}

TEST(StoragePlan, APercentageNeedsNoSizeAndIsRoundedUp) {
    EXPECT_THAT(plan({disk0, {{"id", "p"}, {"type", "partition"}, {"device", "disk0"}, {"alloc_pct", "33"}}}),
                ElementsAre("partitions create 98 size=330"));
    const auto big =
        parse_block_devices(nlohmann::json::parse(R"([{"id": 98, "type": "physical", "size": 500107862016}])"));
    const auto steps = plan_job_storage(
        {disk0, {{"id", "p"}, {"type", "partition"}, {"device", "disk0"}, {"size", "2G"}, {"alloc_pct", "80"}}}, *big);
    ASSERT_TRUE(steps);
    EXPECT_THAT(lines(*steps), ElementsAre("partitions create 98 size=400086289613"));
}

TEST(StoragePlan, MoreThanAHundredPercentAreRefused) {
    EXPECT_THAT(plan({disk0,
                      {{"id", "a"}, {"type", "partition"}, {"device", "disk0"}, {"alloc_pct", "80"}},
                      {{"id", "b"}, {"type", "partition"}, {"device", "disk0"}, {"alloc_pct", "30"}}}),
                ElementsAre("error: The total percentage of the partitions on disk 'disk0' exceeds 100."));
}

TEST(StoragePlan, AWholeDiskCanBeFormattedAndMounted) {
    EXPECT_THAT(plan({disk0,
                      {{"id", "f"}, {"type", "format"}, {"device", "disk0"}, {"fstype", "ext4"}, {"label", "whole"}},
                      {{"id", "m"}, {"type", "mount"}, {"device", "f"}, {"path", "/"}}}),
                ElementsAre("block-device format 98 fstype=ext4 label=whole", "block-device mount 98 mount_point=/"));
}

TEST(StoragePlan, LeavesUnknownTypesOut) {
    EXPECT_THAT(plan({disk0, part1, {{"id", "r"}, {"type", "raid"}, {"device", "disk0"}}}),
                ElementsAre("partitions create 99 size=2000"));
    EXPECT_THAT(plan({}), IsEmpty());
}

TEST(StoragePlan, SaysWhatIsMissing) {
    EXPECT_THAT(plan({part1}).front(), HasSubstr("\"part1\" of type partition lies on \"disk0\""));
    EXPECT_THAT(plan({disk0, {{"id", "p"}, {"type", "partition"}, {"device", "disk0"}}}).front(),
                HasSubstr("lacks size and alloc_pct"));
    EXPECT_THAT(plan({disk0, part1, {{"id", "f"}, {"type", "format"}, {"volume", "part1"}}}).front(),
                HasSubstr("\"f\" of type format lacks fstype"));
    EXPECT_THAT(plan({disk0, {{"id", "a"}, {"type", "mount"}, {"device", "a"}, {"path", "/"}}}).front(),
                HasSubstr("which the list does not have"));
}

TEST(StoragePlan, ReadsSizes) {
    EXPECT_EQ(parse_storage_size("2000000000"), 2'000'000'000U);
    EXPECT_EQ(parse_storage_size("1g"), 1'000'000'000U);
    EXPECT_EQ(parse_storage_size("512M"), 512'000'000U);
    EXPECT_EQ(parse_storage_size("7B"), 7U);
    for (const auto* text : {"10GB", "1.5G", "-1", "", "G", "99999999999T", "1e3"}) {
        EXPECT_FALSE(parse_storage_size(text)) << text;
    }
}

TEST(StoragePlan, DefaultDisksAreUsedAsTheyAreWritten) {
    const auto steps = plan_default_storage({
        {{"id", "98"}, {"name", "nvme0n1"}, {"parent_disk_blkid", "98"}, {"type", "disk"}},
        {{"device", "38563"},
         {"id", "nvme0n1-part1"},
         {"number", "38563"},
         {"parent_disk_blkid", "98"},
         {"size", "536870912"},
         {"type", "partition"}},
        {{"fstype", "fat32"},
         {"id", "38563-format"},
         {"label", "efi"},
         {"parent_disk_blkid", "98"},
         {"type", "format"},
         {"volume", "38563"}},
        {{"device", "38563-format"},
         {"id", "38563-mount"},
         {"parent_disk_blkid", "98"},
         {"path", "/boot/efi"},
         {"type", "mount"}},
    });
    ASSERT_TRUE(steps);
    EXPECT_THAT(lines(*steps),
                ElementsAre("block-device set-boot-disk 98", "block-device update 98 name=nvme0n1",
                            "partitions create 98 size=536870912", "partition format 98 #2 fstype=fat32 label=efi",
                            "partition mount 98 #2 mount_point=/boot/efi"));
    const auto lacking = plan_default_storage({{{"id", "98"}, {"type", "disk"}}});
    ASSERT_FALSE(lacking);
    EXPECT_THAT(lacking.error().message(), HasSubstr("lacks parent_disk_blkid"));
}

}  // namespace
}  // namespace trebuchet
