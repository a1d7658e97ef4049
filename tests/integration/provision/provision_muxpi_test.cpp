#include "tests/fakes/loopback_server.hpp"
#include "tests/integration/harness/wait.hpp"
#include "tests/integration/provision/ssh_bench.hpp"

#include <csignal>

#include <gmock/gmock.h>

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;
namespace fs = std::filesystem;

class ProvisionMuxPi : public SshBench {
  protected:
    ProvisionMuxPi() { attach("image"); }

    /// A zstdcat that never writes anything, like a card that hangs.
    void let_writing_hang() const { control.program("zstdcat", sign("writing") + hang()); }
    void download_from(const LoopbackServer& server) {
        job["provision_data"] = {
            {"url", "http://robot:hunter22@127.0.0.1:" + std::to_string(server.port()) + "/image?signature=s1gn4ture"}};
    }
    /// What must hold whenever provision ends before the device is up.
    void expect_defined_state() const {
        EXPECT_EQ(mux(), "-dut\n") << "the card must be switched back";
        EXPECT_THAT(power(), ::testing::EndsWith("off\n")) << "a half-written card must not boot";
        EXPECT_FALSE(is_mounted());
    }
};

TEST_F(ProvisionMuxPi, WritesAnAttachmentAndBootsTheDevice) {
    const auto image = "a disk image" + std::string(500, '.');
    attach(zstd(image));
    ASSERT_EQ(run_stage("muxpi").code, 0) << log;
    EXPECT_EQ(card(), image + std::string(1000 - image.size(), '-'));
    EXPECT_EQ(mux(), "-dut\n");
    EXPECT_EQ(power(), "cycle\n");
    EXPECT_THAT(text_of(control.folder() / "card2/var/lib/cloud/seed/nocloud-net/user-data"), HasSubstr("pass-w0rd"));
    EXPECT_TRUE(fs::exists(control.folder() / "card2/etc/sudoers.d/90-trebuchet"));
    EXPECT_FALSE(is_mounted());
}

TEST_F(ProvisionMuxPi, DownloadsWithCredentialsThatNoCommandLineShows) {
    const std::string image = "an image from the server";
    LoopbackServer server([&](LoopbackServer::Connection& connection) {
        while (const auto request = connection.read_request()) {
            if (request->header("Authorization") == "none") return;
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(image.size()) + "\r\n\r\n" +
                            (request->line().starts_with("HEAD") ? "" : image));
        }
    });
    download_from(server);
    ASSERT_EQ(run_stage("muxpi").code, 0) << log;
    EXPECT_TRUE(card().starts_with(image));
    EXPECT_THAT(calls(), AllOf(HasSubstr("curl "), HasSubstr("ssh "), HasSubstr("stm -ts"), HasSubstr("sudo tee")));
}

TEST_F(ProvisionMuxPi, AnImageThatTheServerDoesNotHaveIsAFailureAtOnce) {
    LoopbackServer server(always("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    download_from(server);
    EXPECT_EQ(run_stage("muxpi").code, 1);
    EXPECT_THAT(error_of(), AllOf(HasSubstr("cannot download http://"), HasSubstr("404")));
    EXPECT_THAT(log, Not(HasSubstr("retrying")));
    expect_defined_state();
}

TEST_F(ProvisionMuxPi, ChecksTheBootByAUrl) {
    LoopbackServer up([](LoopbackServer::Connection& connection) {
        const auto status = connection.number() == 0 ? "503 Wait" : "200 OK";
        if (connection.read_request()) {
            connection.send("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    job["provision_data"]["boot_check_url"] = up.origin() + "/ready";
    EXPECT_EQ(run_stage("muxpi").code, 0) << log;
    EXPECT_EQ(up.connections(), 2U);
}

TEST_F(ProvisionMuxPi, WritesTheStickOfAMuxForBothMedia) {
    const TemporaryFolder devices("/dev/shm");
    const auto stick = devices.write("stick", "");
    config["control_switch_local_cmd"] = "zapper sdwire set TS";
    config["control_switch_device_cmd"] = "zapper sdwire set DUT";
    control.program("zapper",
                    "case $* in\n"
                    "  'typecmux plug_to_self') echo '" +
                        stick.string() +
                        "' ;;\n"
                        "  'sdwire plug_to_self') exit 1 ;;\n"
                        "  *) echo \"$*\" >'" +
                        file("mux") + "' ;;\nesac");
    job["provision_data"]["media"] = "usb";
    EXPECT_EQ(run_stage("muxpi").code, 0) << log;
    EXPECT_EQ(text_of(stick), "image");
    EXPECT_EQ(mux(), "typecmux set DUT\n");
}

TEST_F(ProvisionMuxPi, TriesAMuxAgainThatDidNotAnswer) {
    control.program("stm", "if ! test -e '" + file("tried") + "'; then touch '" + file("tried") +
                               "'; echo busy >&2; exit 1; fi\necho \"$1\" >'" + file("mux") + "'");
    EXPECT_EQ(run_stage("muxpi").code, 0) << log;
    EXPECT_THAT(log, HasSubstr("busy"));
}

TEST_F(ProvisionMuxPi, SaysThatTheImageDoesNotFit) {
    control.program("dd", "cat >/dev/null; echo \"dd: error writing 'card': No space left on device\" >&2; exit 1");
    EXPECT_EQ(run_stage("muxpi").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("No space left on device"));
    expect_defined_state();
}

TEST_F(ProvisionMuxPi, SaysThatTheImageIsDamaged) {
    auto image = zstd(std::string(5000, 'x'));
    image.resize(image.size() - 6);
    attach(image);
    EXPECT_EQ(run_stage("muxpi").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("stdin"));
    EXPECT_THAT(log, Not(HasSubstr("retrying")));
    expect_defined_state();
}

TEST_F(ProvisionMuxPi, FindsACardThatDoesNotKeepWhatIsWritten) {
    job["provision_data"]["verify"] = true;
    EXPECT_EQ(run_stage("muxpi").code, 0) << log;
    control.program("dd",
                    "case $* in\n"
                    "  if=*) echo something else ;;\n"
                    "  *) exec /usr/bin/dd \"$@\" ;;\n"
                    "esac");
    EXPECT_EQ(run_stage("muxpi").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("the card is worn out or counterfeit"));
    expect_defined_state();
}

TEST_F(ProvisionMuxPi, SaysThatTheAttachmentIsMissingBeforeItTouchesTheCard) {
    job["provision_data"]["use_attachment"] = "nothing";
    EXPECT_EQ(run_stage("muxpi").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("that attachment doesn't exist: nothing"));
    EXPECT_EQ(mux(), "");
    EXPECT_EQ(power(), "");
}

TEST_F(ProvisionMuxPi, SaysThatTheChecksumDiffers) {
    job["provision_data"]["checksum"] = std::string(64, '0');
    EXPECT_EQ(run_stage("muxpi").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("the checksum of attachments/provision/image is"));
    expect_defined_state();
}

TEST_F(ProvisionMuxPi, RefusesADiskThatTheControlHostUses) {
    control.program("lsblk", "echo; echo /boot");
    EXPECT_EQ(run_stage("muxpi").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("the control host uses it: /boot"));
    EXPECT_EQ(card(), std::string(1000, '-'));
}

TEST_F(ProvisionMuxPi, GivesUpOnACardThatTakesTooLong) {
    let_writing_hang();
    config["image_timeout"] = 1;
    EXPECT_EQ(run_stage("muxpi").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("took longer than 1 s"));
    expect_defined_state();
}

TEST_F(ProvisionMuxPi, ADeviceThatDoesNotBootIsAFailureOfTheImage) {
    device.stop();
    config["boot_timeout"] = 1;
    EXPECT_EQ(run_stage("muxpi").code, 1);
    EXPECT_THAT(error_of(), AllOf(HasSubstr("Failed to boot test image! waited"), HasSubstr("Connection refused")));
    EXPECT_EQ(mux(), "-dut\n");
    EXPECT_EQ(power(), "cycle\n") << "the device stays on for debugging";
}

TEST_F(ProvisionMuxPi, APowerSwitchThatFailsEachTimeTakesTheDeviceOffline) {
    here("power", switch_power() + "echo no such outlet >&2; exit 3");
    EXPECT_EQ(run_stage("muxpi").code, 46);
    EXPECT_THAT(error_of(), AllOf(HasSubstr("cannot power-cycle the device"), HasSubstr("exit code 3")));
    EXPECT_EQ(power(), "cycle\ncycle\ncycle\ncycle\n") << "a failed switch is retried";
    EXPECT_EQ(mux(), "-dut\n");
}

TEST_F(ProvisionMuxPi, StoppedWhileItsControlHostStaysAwayItEnds) {
    here("reset-control", sign("reset"));
    config["control_host_reboot_script"] = {"reset-control"};
    config["control_host_reboot_timeout"] = 1;
    control.stop();
    auto program = ChildProgram(command("muxpi", "provision"));
    EXPECT_TRUE(program.prints("to come back online (timeout: 300 seconds)")) << program.err();
    EXPECT_TRUE(fs::exists(folder / "reset"));
    program.signal(SIGTERM);
    EXPECT_EQ(program.wait().code, 128 + SIGTERM);
}

TEST_F(ProvisionMuxPi, StoppedWhileItWritesLeavesADefinedState) {
    let_writing_hang();
    EXPECT_EQ(end_at("writing", "muxpi", SIGTERM), 128 + SIGTERM);
    expect_defined_state();
}

TEST_F(ProvisionMuxPi, StoppedWhileItPutsAUserIntoTheImageLeavesADefinedState) {
    control.program("mount", "rmdir \"$2\"; ln -s '" + file("card2") + "' \"$2\"\n" + sign("mounting") + hang());
    EXPECT_EQ(end_at("mounting", "muxpi", SIGTERM), 128 + SIGTERM);
    expect_defined_state();
}

TEST_F(ProvisionMuxPi, StoppedWhileTheMuxSwitchesLeavesADefinedState) {
    control.program("stm", "if test $1 = -dut && mkdir '" + file("once") + "'; then\n" + sign("switching") + hang() +
                               "fi\necho \"$1\" >'" + file("mux") + "'");
    EXPECT_EQ(end_at("switching", "muxpi", SIGTERM), 128 + SIGTERM);
    expect_defined_state();
}

TEST_F(ProvisionMuxPi, StoppedWhileTheDeviceBootsLeavesADefinedState) {
    device.stop();
    EXPECT_EQ(end_at("switched", "muxpi", SIGTERM), 128 + SIGTERM);
    EXPECT_EQ(power(), "cycle\noff\n");
    expect_defined_state();
}

TEST_F(ProvisionMuxPi, KilledHalfwayIsRepairedByTheNextProvision) {
    let_writing_hang();
    attach(zstd("the image"));
    EXPECT_EQ(end_at("writing", "muxpi", SIGKILL), -SIGKILL);
    EXPECT_EQ(mux(), "-ts\n") << "SIGKILL leaves the mux as it is";
    fs::remove(control.folder() / "bin/zstdcat");
    EXPECT_EQ(run_stage("muxpi").code, 0) << log;
    EXPECT_TRUE(card().starts_with("the image"));
    EXPECT_EQ(mux(), "-dut\n");
}

TEST_F(ProvisionMuxPi, WhatAScriptRunsOnTheControlHostEndsWithItsConnection) {
    const auto pid_file = (folder / "pid").string();
    control.program("sync", "trap '' HUP PIPE; echo $$ >'" + pid_file + "'\n" + sign("syncing") +
                                "while :; do /bin/sleep 1; done\n");
    const ChildProgram program(command("muxpi", "provision"));
    ASSERT_TRUE(came_to("syncing")) << program.err();
    const auto pid = std::stoi(text_of(pid_file));
    for (const auto ours : living_below(program.pid())) ::kill(ours, SIGKILL);
    program.signal(SIGKILL);
    // Nobody waits for the program yet: then the test would end what it adopted.
    EXPECT_TRUE(eventually([&] { return !is_alive(pid); })) << calls();
}

TEST_F(ProvisionMuxPi, WhatAKilledProvisionLeftMountedIsUnmountedByTheNext) {
    control.program("tee", sign("seeding") + hang());
    EXPECT_EQ(end_at("seeding", "muxpi", SIGKILL), -SIGKILL);
    EXPECT_TRUE(is_mounted());
    fs::remove(control.folder() / "bin/tee");
    EXPECT_EQ(run_stage("muxpi").code, 0) << log;
    EXPECT_FALSE(is_mounted());
    EXPECT_EQ(mux(), "-dut\n");
}

}  // namespace
}  // namespace trebuchet::harness
