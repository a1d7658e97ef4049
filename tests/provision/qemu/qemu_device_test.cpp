#include "provision/qemu/qemu_device.hpp"

#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/fakes.hpp"
#include "tests/provision/support/qmp_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Starting QEMU is a command that succeeds; whoever talks to it talks to a fake.
class QemuDeviceTest : public testing::Test {
  protected:
    QemuDevice device(bool snapshot = true) {
        QemuSettings settings;
        settings.program = "qemu";
        settings.disk = folder_ / "sd.img";
        settings.disk_mib = 1;
        settings.qmp_socket = folder_ / "qmp";
        settings.start = true;
        settings.snapshot = snapshot;
        return {settings, commands_, interrupt_};
    }

    TemporaryFolder folder_;
    FakeCommandRunner commands_;
    FakeInterrupt interrupt_;
};

TEST_F(QemuDeviceTest, CreatesAndExtendsItsDisk) {
    ASSERT_TRUE(device().prepare_disk());
    EXPECT_EQ(std::filesystem::file_size(folder_ / "sd.img"), 1024U * 1024U);
    std::filesystem::resize_file(folder_ / "sd.img", 3 * 1024 * 1024);
    ASSERT_TRUE(device().prepare_disk());
    EXPECT_EQ(std::filesystem::file_size(folder_ / "sd.img"), 3U * 1024U * 1024U);
}

TEST_F(QemuDeviceTest, StartsHaltedWithAnOverlay) {
    const QmpServer server(folder_ / "qmp");
    ASSERT_TRUE(device().start());
    ASSERT_TRUE(device().resume());
    EXPECT_THAT(commands_.commands, ElementsAre(Contains("-S")));
    EXPECT_THAT(server.actions(), ElementsAre("blockdev-snapshot-sync", "cont"));
}

TEST_F(QemuDeviceTest, SavesASnapshotOfTheImage) {
    const QmpServer server(folder_ / "qmp");
    EXPECT_FALSE(device().has_snapshot_of("image 1"));
    ASSERT_TRUE(device().save_snapshot("image 1"));
    EXPECT_TRUE(device().has_snapshot_of("image 1"));
    EXPECT_FALSE(device().has_snapshot_of("image 2"));
    EXPECT_FALSE(device(false).has_snapshot_of("image 1"));
    EXPECT_THAT(server.actions(), ElementsAre("savevm provisioned"));
}

TEST_F(QemuDeviceTest, DeletesTheSnapshotBeforeTheDiskIsWritten) {
    folder_.write("sd.img.snapshot", "image 1");
    folder_.write("sd.img.qcow2", "changes");
    EXPECT_TRUE(device().has_snapshot_of("image 1"));
    ASSERT_TRUE(device().prepare_disk());
    EXPECT_FALSE(device().has_snapshot_of("image 1"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "sd.img.qcow2"));
}

TEST_F(QemuDeviceTest, RestoresFromTheSnapshot) {
    ASSERT_TRUE(device().restore_snapshot());
    EXPECT_THAT(commands_.commands, ElementsAre(Contains("-loadvm")));
}

TEST_F(QemuDeviceTest, SaysWhyQemuDoesNotStart) {
    commands_.results.assign(5, {CommandExited{1}, "Address already in use\n"});
    const auto done = device().start();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message(), HasSubstr("cannot start qemu: exit code 1, it said: \"Address already in use"));
}

TEST_F(QemuDeviceTest, RetriesUntilAnEarlierQemuReleasesItsPort) {
    commands_.results.assign(4, {CommandExited{1}, "Failed to get \"write\" lock\n"});
    EXPECT_TRUE(device(false).start());
    EXPECT_EQ(commands_.commands.size(), 5U);
}

TEST_F(QemuDeviceTest, StopsOnlyARunningQemu) {
    ASSERT_TRUE(device().stop());
    EXPECT_THAT(commands_.commands, IsEmpty());
    const QmpServer server(folder_ / "qmp");
    ASSERT_TRUE(device().stop());
    EXPECT_THAT(server.actions(), Contains("quit"));
}

}  // namespace
}  // namespace trebuchet
