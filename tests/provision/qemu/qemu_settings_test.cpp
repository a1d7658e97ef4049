#include "provision/qemu/qemu_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

ConnectorConfig config(const std::string& yaml) {
    return parse_connector_config("device_ip: 127.0.0.1\ndevice_port: 2222\n" + yaml, "default.yaml").value();
}

std::string error_of(const std::string& yaml) {
    const auto settings = read_qemu_settings(config(yaml));
    return settings ? "" : settings.error().message();
}

TEST(QemuSettingsTest, NeedOnlyDiskAndSocketForAnIndependentQemu) {
    const auto settings = read_qemu_settings(config("qemu_disk: sd.img\nqemu_qmp: /run/board/qmp\n")).value();
    EXPECT_FALSE(settings.start);
    EXPECT_EQ(settings.disk, "sd.img");
    EXPECT_EQ(settings.qmp_socket, "/run/board/qmp");
}

TEST(QemuSettingsTest, BecomeACommandLine) {
    const auto settings = read_qemu_settings(config("qemu_start: true\nqemu_disk: /a,b/sd.img\nqemu_memory: 128\n"
                                                    "qemu_kernel: vmlinuz\nqemu_initrd: initrd\nqemu_append: quiet x\n"
                                                    "qemu_args: -device 'virtio-rng-pci,id=a b'\nqemu_offline: true\n"
                                                    "serial_host: 127.0.0.1\nserial_port: 4000\n"))
                              .value();
    const auto argv = qemu_command(settings);
    EXPECT_EQ(argv.front(), "qemu-system-x86_64");
    for (const auto* word :
         {"-daemonize", "-S", "tcg,thread=multi", "128", "vmlinuz", "initrd", "quiet x", "virtio-rng-pci,id=a b",
          "user,id=network,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22", "if=none,id=card,format=raw,file=/a,,b/sd.img",
          "socket,id=console,server=on,wait=off,host=127.0.0.1,port=4000",
          "unix:/a,,b/sd.img.qmp,server=on,wait=off"}) {
        EXPECT_THAT(argv, Contains(word));
    }
    EXPECT_THAT(argv, Not(Contains("-loadvm")));
    const auto restored = qemu_command(settings, "/sd.qcow2", "provisioned");
    EXPECT_THAT(restored, Contains("if=none,id=card,format=qcow2,file=/sd.qcow2"));
    EXPECT_THAT(restored, Contains("provisioned"));
}

TEST(QemuSettingsTest, NeedNoKernelAndNoConsole) {
    const auto argv = qemu_command(read_qemu_settings(config("qemu_start: true\nqemu_disk: sd.img\n")).value());
    for (const auto* word : {"-kernel", "-append", "-chardev"}) EXPECT_THAT(argv, Not(Contains(word)));
}

TEST(QemuSettingsTest, SayWhatIsMissingOrWrong) {
    EXPECT_THAT(error_of(""), HasSubstr("no qemu_disk"));
    EXPECT_THAT(error_of("qemu_disk: sd.img\n"), HasSubstr("no qemu_qmp"));
    EXPECT_THAT(error_of("qemu_disk: sd.img\nqemu_start: perhaps\n"), HasSubstr("qemu_start: found \"perhaps\""));
    EXPECT_THAT(error_of("qemu_disk: sd.img\nqemu_start: true\nqemu_memory: 1G\n"), HasSubstr("qemu_memory"));
    EXPECT_THAT(error_of("qemu_disk: sd.img\nqemu_start: true\nqemu_cpus: 0\n"), HasSubstr("qemu_cpus"));
    EXPECT_THAT(error_of("qemu_disk: sd.img\nqemu_start: true\nqemu_args: \"'\"\n"), HasSubstr("qemu_args"));
    EXPECT_THAT(error_of("qemu_disk: sd.img\nqemu_qmp: q\nqemu_snapshot: true\n"), HasSubstr("needs qemu_start"));
    EXPECT_THAT(error_of("qemu_disk: sd.img\nqemu_qmp: q\nboot_prompt: log(in\n"), HasSubstr("boot_prompt: found"));
    EXPECT_THAT(error_of("qemu_disk: sd.img\nqemu_qmp: q\nqemu_initrd: i\n"), HasSubstr("needs a qemu_kernel"));
    const auto without_port = parse_connector_config("qemu_disk: a\nqemu_qmp: q\ndevice_ip: b\n", "f").value();
    EXPECT_THAT(read_qemu_settings(without_port).error().message(), HasSubstr("no device_ip and device_port"));
}

}  // namespace
}  // namespace trebuchet
