#include "tests/fakes/loopback_server.hpp"
#include "tests/integration/harness/wait.hpp"
#include "tests/integration/ssh_host.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;
namespace fs = std::filesystem;

/// The device connector against hosts that are real processes: a control host with a card behind a mux, and a device.
class ProvisionSsh : public ::testing::Test {
  protected:
    ProvisionSsh() {
        folder.write("never", "");
        // The card's mux, and who sees it.
        control.program("stm", "echo \"$1\" >'" + file("mux") + "'");
        // No root: what needs it is pretended.
        control.program("sudo", "exec \"$@\"");
        control.program("lsblk",
                        "case $* in\n"
                        "  *MOUNTPOINT*) ;;\n"
                        "  *) echo '{\"blockdevices\": [{\"name\": \"card\", \"children\": ["
                        "{\"name\": \"card1\", \"label\": \"system-boot\"},"
                        "{\"name\": \"card2\", \"label\": \"writable\"}]}]}' ;;\n"
                        "esac");
        control.program("mount", "mkdir -p '" + file("") + "'\"${1#/dev/}\"; rmdir \"$2\"; ln -s '" + file("") +
                                     "'\"${1#/dev/}\" \"$2\"");
        control.program("mountpoint", "test -L \"$2\"");
        control.program("umount", "rm \"$1\"; mkdir \"$1\"");
        control.program("blockdev", "exit 0");
        fs::create_directories(control.folder() / "card2/etc");
        control.folder().write("card", std::string(1000, '-'));

        // Beside the connector: what it starts is noted, then done.
        for (const auto* name : {"ssh", "curl"}) here(name, "exec /usr/bin/" + std::string(name) + " \"$@\"");
        here("power", "echo \"$@\" >>'" + (folder / "power").string() + "'");
        config = {{"agent_name", "board-1"},
                  {"device_ip", "127.0.0.1"},
                  {"device_port", device.port()},
                  {"device_key_file", device.key()},
                  {"control_host", "127.0.0.1"},
                  {"control_port", control.port()},
                  {"control_user", SshHost::user()},
                  {"control_key_file", control.key()},
                  {"control_mount_folder", (control.folder() / "mnt").string()},
                  {"test_device", (control.folder() / "card").string()},
                  {"reboot_script", {"power cycle"}},
                  {"poweroff_script", {"power off"}},
                  {"boot_poll_interval", 1},
                  {"boot_first_look", 0}};
        job = {{"test_data", {{"test_username", SshHost::user()}, {"test_password", "pass-w0rd"}}}};
    }

    [[nodiscard]] std::string file(const std::string& name) const { return (control.folder() / name).string(); }
    void here(const std::string& name, const std::string& script) const {
        write_noting_program(folder / "bin", name, script, folder / "calls");
    }
    [[nodiscard]] Command command(const std::string& type, const std::string& stage) const {
        folder.write("default.yaml", config.dump(2));  // JSON is YAML
        folder.write("testflinger.json", job.dump());
        return {TREBUCHET_PROVISION,
                {type, stage, "-c", "default.yaml", "testflinger.json"},
                {{"PATH", (folder / "bin").string() + ":/usr/sbin:/usr/bin:/sbin:/bin"},
                 {"TMPDIR", folder.path().string()}},
                folder.path()};
    }
    Ending provision(const std::string& type) {
        auto ending = run(command(type, "provision"));
        if (ending.code != 0) log = ending.err + control.log();
        return ending;
    }
    void attach(const std::string& content) {
        fs::create_directories(folder / "attachments/provision");
        folder.write("attachments/provision/image", content);
        job["provision_data"]["use_attachment"] = "image";
    }
    [[nodiscard]] std::string zstd(const std::string& content) const {
        folder.write("plain", content);
        return run({"/usr/bin/zstd", {"-qc", (folder / "plain").string()}}).out;
    }
    [[nodiscard]] std::string card() const { return text_of(control.folder() / "card"); }
    [[nodiscard]] std::string mux() const { return text_of(control.folder() / "mux"); }
    [[nodiscard]] std::string power() const { return text_of(folder / "power"); }
    [[nodiscard]] std::string error_of_provision() const {
        const auto errors = Json::parse(text_of(folder / "device-connector-error.json"), nullptr, false);
        return errors.is_object() ? errors["provision_exception_info"]["exception_message"].get<std::string>() : "";
    }
    /// Until dd's half of the pipeline waits for more.
    [[nodiscard]] bool is_writing() const {
        return eventually([&] { return fs::exists(control.folder() / "writing"); });
    }
    /// A program's end that does not come by itself.
    [[nodiscard]] std::string hang() const { return "exec tail -f '" + (folder / "never").string() + "'"; }
    /// A zstdcat that takes what comes and gives nothing, as a card that hangs does.
    void let_writing_hang() const { control.program("zstdcat", "touch '" + file("writing") + "'\n" + hang()); }

    TemporaryFolder folder;
    SshHost control;
    SshHost device;
    Json config;
    Json job;
    std::string log;
};

TEST_F(ProvisionSsh, MuxPiWritesAnAttachmentAndBootsTheDevice) {
    const auto image = "a disk image" + std::string(500, '.');
    attach(zstd(image));
    ASSERT_EQ(provision("muxpi").code, 0) << log;
    EXPECT_EQ(card(), image + std::string(1000 - image.size(), '-'));
    EXPECT_EQ(mux(), "-dut\n");
    EXPECT_EQ(power(), "cycle\n");
    const auto seed = text_of(control.folder() / "card2/var/lib/cloud/seed/nocloud-net/user-data");
    EXPECT_THAT(seed, HasSubstr("pass-w0rd"));
    EXPECT_TRUE(fs::exists(control.folder() / "card2/etc/sudoers.d/90-trebuchet"));
    EXPECT_FALSE(fs::exists(control.folder() / "mnt/board-1")) << "nothing stays mounted";
}

TEST_F(ProvisionSsh, MuxPiDownloadsWithCredentialsThatNoCommandLineShows) {
    const std::string image = "an image from the server";
    LoopbackServer server([&](LoopbackServer::Connection& connection) {
        while (const auto request = connection.read_request()) {
            if (request->header("Authorization") == "none") return;
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(image.size()) + "\r\n\r\n" +
                            (request->line().starts_with("HEAD") ? "" : image));
        }
    });
    job["provision_data"]["url"] =
        "http://robot:hunter22@127.0.0.1:" + std::to_string(server.port()) + "/image?signature=s1gn4ture";
    const auto ending = provision("muxpi");
    ASSERT_EQ(ending.code, 0) << log;
    EXPECT_TRUE(card().starts_with(image));
    const auto calls = text_of(folder / "calls") + control.calls();
    EXPECT_THAT(calls, AllOf(HasSubstr("curl "), HasSubstr("ssh "), HasSubstr("stm -ts")));
    for (const auto* secret : {"hunter22", "s1gn4ture", "pass-w0rd"}) {
        EXPECT_THAT(calls, Not(HasSubstr(secret)));
        EXPECT_THAT(ending.out + ending.err, Not(HasSubstr(secret)));
    }
}

TEST_F(ProvisionSsh, MuxPiChecksTheBootByAUrl) {
    LoopbackServer up([](LoopbackServer::Connection& connection) {
        const auto status = connection.number() == 0 ? "503 Wait" : "200 OK";
        if (connection.read_request()) {
            connection.send("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    attach("image");
    job["provision_data"]["boot_check_url"] = up.origin() + "/ready";
    EXPECT_EQ(provision("muxpi").code, 0) << log;
    EXPECT_EQ(up.connections(), 2U);
}

TEST_F(ProvisionSsh, MuxPiSaysThatTheImageDoesNotFit) {
    control.program("dd", "cat >/dev/null; echo \"dd: error writing 'card': No space left on device\" >&2; exit 1");
    attach("image");
    EXPECT_EQ(provision("muxpi").code, 1);
    EXPECT_THAT(error_of_provision(), HasSubstr("No space left on device"));
    EXPECT_EQ(mux(), "-dut\n") << "the card goes back";
    EXPECT_EQ(power(), "off\n") << "what is half written must not boot";
}

TEST_F(ProvisionSsh, MuxPiSaysThatTheAttachmentIsMissing) {
    job["provision_data"]["use_attachment"] = "nothing";
    EXPECT_EQ(provision("muxpi").code, 1);
    EXPECT_THAT(error_of_provision(), HasSubstr("can't open the image attachments/provision/nothing"));
    EXPECT_EQ(mux(), "-dut\n");
}

TEST_F(ProvisionSsh, MuxPiSaysThatTheChecksumDiffers) {
    attach("image");
    job["provision_data"]["checksum"] = std::string(64, '0');
    job["provision_data"]["create_user"] = false;
    config["reboot_script"] = Json::array({"power must-not-run"});
    auto program = ChildProgram(command("muxpi", "provision"));
    ASSERT_TRUE(program.prints("the checksum of attachments/provision/image is"));
    program.signal(SIGTERM);
    EXPECT_EQ(program.wait().code, 128 + SIGTERM);
    EXPECT_EQ(power(), "off\n");
}

TEST_F(ProvisionSsh, MuxPiRefusesADiskThatTheControlHostUses) {
    control.program("lsblk", "echo; echo /boot");
    attach("image");
    EXPECT_EQ(provision("muxpi").code, 1);
    EXPECT_THAT(error_of_provision(), HasSubstr("the control host uses it: /boot"));
    EXPECT_EQ(card(), std::string(1000, '-'));
}

TEST_F(ProvisionSsh, MuxPiStoppedHalfwayGivesTheCardBackAndCutsThePower) {
    let_writing_hang();
    attach("image");
    auto program = ChildProgram(command("muxpi", "provision"));
    ASSERT_TRUE(is_writing()) << program.err();
    EXPECT_EQ(mux(), "-ts\n");
    // As the agent's supervisor does: everybody gets it, the shared ssh connection too.
    for (const auto pid : living_below(program.pid())) ::kill(pid, SIGTERM);
    program.signal(SIGTERM);
    EXPECT_EQ(program.wait().code, 128 + SIGTERM);
    EXPECT_EQ(mux(), "-dut\n");
    EXPECT_EQ(power(), "off\n");
}

TEST_F(ProvisionSsh, MuxPiKilledHalfwayIsMadeGoodByTheNextProvision) {
    let_writing_hang();
    attach(zstd("the image"));
    {
        auto program = ChildProgram(command("muxpi", "provision"));
        ASSERT_TRUE(is_writing()) << program.err();
        program.signal(SIGKILL);
        (void)program.wait();
    }
    EXPECT_EQ(mux(), "-ts\n");
    fs::remove(control.folder() / "bin/zstdcat");
    fs::create_directories(control.folder() / "mnt/board-1");
    fs::create_directory_symlink(control.folder() / "card2", control.folder() / "mnt/board-1/writable");
    EXPECT_EQ(provision("muxpi").code, 0) << log;
    EXPECT_TRUE(card().starts_with("the image"));
    EXPECT_EQ(mux(), "-dut\n");
    EXPECT_FALSE(fs::exists(control.folder() / "mnt/board-1"));
}

TEST_F(ProvisionSsh, NoProvisionLeavesADeviceThatAnswersAlone) {
    EXPECT_EQ(provision("noprovision").code, 0) << log;
    EXPECT_EQ(power(), "");
}

TEST_F(ProvisionSsh, NoProvisionRestartsADeviceThatDoesNotAnswer) {
    device.stop();
    here("power", "echo \"$@\" >>'" + (folder / "power").string() + "'; touch '" + (folder / "cycled").string() + "'");
    auto program = ChildProgram(command("noprovision", "provision"));
    ASSERT_TRUE(eventually([&] { return fs::exists(folder / "cycled"); })) << program.err();
    device.start();
    EXPECT_EQ(program.wait().code, 0);
    EXPECT_EQ(power(), "cycle\n");
}

TEST_F(ProvisionSsh, NoProvisionGivesADeviceUpThatDoesNotComeBack) {
    device.stop();
    config["boot_timeout"] = 1;
    EXPECT_EQ(provision("noprovision").code, 46);
    EXPECT_THAT(error_of_provision(), AllOf(HasSubstr("does not come back"), HasSubstr("Connection refused")));
}

TEST_F(ProvisionSsh, OemRecoveryStartsTheRecoveryAndWaitsForTheDevice) {
    device.program("recover", "echo recovering");
    config["recovery_cmds"] = {"recover --prepare", "recover --now"};
    EXPECT_EQ(provision("oemrecovery").code, 0) << log;
    EXPECT_THAT(device.calls(), ContainsRegex("recover --prepare \n(.|\n)*recover --now"));
}

TEST_F(ProvisionSsh, OemRecoveryTakesTheDeviceOfflineWhenACommandFails) {
    device.program("recover", "echo no recovery partition >&2; exit 4");
    config["recovery_cmds"] = {"recover --prepare", "recover --now"};
    EXPECT_EQ(provision("oemrecovery").code, 46);
    EXPECT_THAT(error_of_provision(), AllOf(HasSubstr("exit code 4"), HasSubstr("no recovery partition")));
    EXPECT_THAT(device.calls(), Not(HasSubstr("--now")));
}

TEST_F(ProvisionSsh, OemRecoveryFailsWhenTheDeviceStaysAway) {
    device.program("recover", "rm -f '" + (device.folder() / "authorized_keys").string() + "'");
    config["recovery_cmds"] = {"recover"};
    config["boot_timeout"] = 1;
    EXPECT_EQ(provision("oemrecovery").code, 1);
    EXPECT_THAT(error_of_provision(), HasSubstr("did not come back from its recovery"));
}

TEST_F(ProvisionSsh, OemRecoveryEndsWhenToldTo) {
    device.program("recover", "touch '" + (device.folder() / "recovering").string() + "'; " + hang());
    config["recovery_cmds"] = {"recover"};
    auto program = ChildProgram(command("oemrecovery", "provision"));
    ASSERT_TRUE(eventually([&] { return fs::exists(device.folder() / "recovering"); })) << program.err();
    program.signal(SIGTERM);
    EXPECT_EQ(program.wait().code, 128 + SIGTERM);
}

TEST_F(ProvisionSsh, CommandRunsWhatTheSiteHasAndLeavesADefinedState) {
    here("flash", "test -n \"$WIFI\"; echo flashing; touch '" + (folder / "flashing").string() + "'; " + hang());
    config["provision_cmds"] = {"flash board"};
    config["recovery_commands"] = {"power mux-off"};
    job["test_data"]["secrets"] = {{"WIFI", "hunter22"}};
    auto program = ChildProgram(command("command", "provision"));
    ASSERT_TRUE(eventually([&] { return fs::exists(folder / "flashing"); })) << program.err();
    program.signal(SIGTERM);
    EXPECT_EQ(program.wait().code, 128 + SIGTERM);
    EXPECT_EQ(power(), "mux-off\n");
    EXPECT_THAT(text_of(folder / "calls"), AllOf(HasSubstr("flash board"), Not(HasSubstr("hunter22"))));

    here("flash", "exit 46");
    EXPECT_EQ(provision("command").code, 46);
    config["provision_timeout"] = 1;
    here("flash", hang());
    EXPECT_EQ(provision("command").code, 1);
    EXPECT_THAT(error_of_provision(), HasSubstr("flash board: timed out"));
    here("flash", "exit 0");
    EXPECT_EQ(provision("command").code, 0) << log;
}

}  // namespace
}  // namespace trebuchet::harness
