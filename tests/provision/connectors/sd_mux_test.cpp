#include "provision/connectors/sd_mux.hpp"

#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

/// Runs the commands by a shell, as the control host does, with doubles of the muxes' programs. A broken mux takes each
/// command and does not switch.
class SdMuxTest : public testing::Test {
  protected:
    SdMuxTest() {
        program("sudo", "exec \"$@\"");
        program("sd-mux-ctrl",
                "test \"$1\" = '--device-serial=sd; 1' || exit 2\n"
                "case $2 in --ts) new=TS ;; --dut) new=DUT ;; --status) echo \"SD connected to: $(cat state)\"; exit "
                ";; esac\n"
                "test -e broken || echo $new >state");
        program("usbsdmux",
                "test \"$1\" = /dev/usb-sd-mux/id-1 || exit 2\n"
                "case $2 in host|dut) test -e broken || echo $2 >state ;; get) cat state ;; *) exit 2 ;; esac");
        folder_.write("state", "none\n");
    }
    void program(const std::string& name, const std::string& body) {
        std::filesystem::create_directories(folder_ / "bin");
        folder_.write("bin/" + name, "#!/bin/sh\n" + body + "\n");
        std::filesystem::permissions(folder_ / "bin" / name, std::filesystem::perms::owner_all);
    }
    int run(const std::string& line) {
        Program shell({"/bin/sh", "-c", line}, folder_.path(),
                      {{"PATH", (folder_ / "bin").string() + ":/usr/bin:/bin"}});
        return shell.wait();
    }
    void expect_switches(const std::string& kind, const std::string& device, const std::string& host,
                         const std::string& dut) {
        const auto commands = commands_of_mux(kind, device);
        ASSERT_TRUE(commands) << commands.error().message();
        EXPECT_TRUE(SdMux(*commands).is_stable());
        EXPECT_EQ(run(commands->to_host), 0);
        EXPECT_EQ(read_file(folder_ / "state", 100).value(), host + "\n");
        EXPECT_EQ(run(commands->to_device), 0);
        EXPECT_EQ(read_file(folder_ / "state", 100).value(), dut + "\n");
        folder_.write("broken", "");
        EXPECT_NE(run(commands->to_host), 0) << "it still is at the device";
    }

    TemporaryFolder folder_;
};

TEST_F(SdMuxTest, SwitchesAnSdWireAndReadsItBack) {
    expect_switches("sdwire", "sd; 1", "TS", "DUT");
}

TEST_F(SdMuxTest, SwitchesAUsbSdMuxAndReadsItBack) {
    expect_switches("usbsdmux", "/dev/usb-sd-mux/id-1", "host", "dut");
}

TEST_F(SdMuxTest, SaysWhatIsWrongWithTheConfiguration) {
    EXPECT_FALSE(commands_of_mux("sdwire", ""));
    EXPECT_FALSE(commands_of_mux("usbsdmux", "--help"));
    EXPECT_FALSE(commands_of_mux("toaster", "1"));
}

}  // namespace
}  // namespace trebuchet
