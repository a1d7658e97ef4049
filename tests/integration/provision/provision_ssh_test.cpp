#include "tests/integration/harness/wait.hpp"
#include "tests/integration/provision/ssh_bench.hpp"

#include <csignal>

#include <gmock/gmock.h>

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class ProvisionNoProvision : public SshBench {};

TEST_F(ProvisionNoProvision, DoesNothingIfTheDeviceAnswers) {
    EXPECT_EQ(run_stage("noprovision").code, 0) << log;
    EXPECT_EQ(power(), "");
}

TEST_F(ProvisionNoProvision, RestartsADeviceThatDoesNotAnswer) {
    device.stop();
    // A power switch that fails once is retried.
    here("power", "mkdir '" + (folder / "once").string() + "' && exit 1\n" + switch_power());
    auto program = ChildProgram(command("noprovision", "provision"));
    ASSERT_TRUE(was_switched()) << program.err();
    device.start();
    EXPECT_EQ(program.wait().code, 0);
    EXPECT_EQ(power(), "cycle\n");
}

TEST_F(ProvisionNoProvision, GivesUpOnADeviceThatDoesNotComeBack) {
    device.stop();
    config["boot_timeout"] = 1;
    EXPECT_EQ(run_stage("noprovision").code, 1);
    EXPECT_THAT(error_of(), AllOf(HasSubstr("Failed to boot test image! waited"), HasSubstr("Connection refused")));
}

TEST_F(ProvisionNoProvision, APowerSwitchThatFailsIsAFailureOnly) {
    device.stop();
    here("power", "exit 3");
    EXPECT_EQ(run_stage("noprovision").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("exit code 3"));
}

TEST_F(ProvisionNoProvision, EndsWhenToldTo) {
    device.stop();
    EXPECT_EQ(end_at("switched", "noprovision", SIGTERM), 128 + SIGTERM);
}

class ProvisionOemRecovery : public SshBench {
  protected:
    ProvisionOemRecovery() {
        config["recovery_cmds"] = {"recover --prepare", "recover --now"};
        device.program("snap", "echo 'model  generic-classic'");
    }
};

TEST_F(ProvisionOemRecovery, StartsTheRecoveryAndWaitsForTheDevice) {
    device.program("recover", "echo recovering");
    EXPECT_EQ(run_stage("oemrecovery").code, 0) << log;
    EXPECT_THAT(device.calls(), ContainsRegex("recover --prepare \n(.|\n)*recover --now"));
}

TEST_F(ProvisionOemRecovery, TheDeviceMayRestartUnderItsLastCommand) {
    device.program("recover", "test $1 = --prepare && exit 0\n" + sign("restarting") + hang());
    auto program = ChildProgram(command("oemrecovery", "provision"));
    ASSERT_TRUE(came_to("restarting")) << program.err();
    device.stop();
    ASSERT_TRUE(program.prints("assuming that the device restarts"));
    device.start();
    EXPECT_EQ(program.wait().code, 0) << program.err();
}

TEST_F(ProvisionOemRecovery, RestartsADeviceThatHangs) {
    device.program("recover", "exit 0");
    device.stop();
    auto program = ChildProgram(command("oemrecovery", "provision"));
    ASSERT_TRUE(was_switched()) << program.err();
    device.start();
    EXPECT_EQ(program.wait().code, 0) << program.err();
    EXPECT_THAT(device.calls(), HasSubstr("recover --now"));
}

TEST_F(ProvisionOemRecovery, ACommandThatFailsIsAFailure) {
    device.program("recover", "echo no recovery partition >&2; exit 4");
    EXPECT_EQ(run_stage("oemrecovery").code, 1);
    EXPECT_THAT(error_of(), AllOf(HasSubstr("exit code 4"), HasSubstr("no recovery partition")));
    EXPECT_THAT(device.calls(), Not(HasSubstr("--now")));
}

TEST_F(ProvisionOemRecovery, ACommandBeyondItsTimeIsAFailure) {
    device.program("recover", hang());
    config["recovery_cmds_timeout"] = 1;
    EXPECT_EQ(run_stage("oemrecovery").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("recover --prepare took longer than 1 s"));
}

TEST_F(ProvisionOemRecovery, ADeviceThatNobodyCanReachNorRestartIsAFailure) {
    device.stop();
    config.erase("reboot_script");
    EXPECT_EQ(run_stage("oemrecovery").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("Connection refused"));
}

TEST_F(ProvisionOemRecovery, ADeviceThatStaysAwayIsAFailure) {
    device.program("recover", "rm -f '" + (device.folder() / "authorized_keys").string() + "'");
    config["boot_timeout"] = 1;
    EXPECT_EQ(run_stage("oemrecovery").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("Failed to boot test image! waited"));
}

TEST_F(ProvisionOemRecovery, LogsInByAPasswordThatOnlyTheEnvironmentHolds) {
    device.program("recover", "exit 0");
    config.erase("device_key_file");
    here("ssh", "exec /usr/bin/ssh -i '" + device.key().string() + "' \"$@\"");  // for the commands
    here("sshpass", "test \"$SSHPASS\" = pass-w0rd && test $1 = -e && shift && exec \"$@\"");
    here("ssh-copy-id", "test -n \"$SSHPASS\"");
    EXPECT_EQ(run_stage("oemrecovery").code, 0) << log;
    EXPECT_THAT(calls(), HasSubstr("ssh-copy-id -f"));
}

TEST_F(ProvisionOemRecovery, KilledHalfwayStartsAnewTheNextTime) {
    device.program("recover", sign("recovering") + hang());
    EXPECT_EQ(end_at("recovering", "oemrecovery", SIGTERM), 128 + SIGTERM);
    fs::remove(folder / "recovering");
    EXPECT_EQ(end_at("recovering", "oemrecovery", SIGKILL), -SIGKILL);
    device.program("recover", "exit 0");
    EXPECT_EQ(run_stage("oemrecovery").code, 0) << log;
}

class ProvisionFirmware : public SshBench {
  protected:
    void is_made_by(const std::string& vendor) const {
        device.program("cat", "case $1 in */chassis_vendor) echo " + vendor + " ;; *) exec /bin/cat \"$@\" ;; esac");
    }
    ProvisionFirmware() {
        job["firmware_update_data"] = {{"version", "latest"}};
        is_made_by("LENOVO");
        device.program("fwupdmgr",
                       "case $* in\n"
                       "  get-devices*) echo warning >&2\n"
                       "    echo '{\"Devices\": [{\"DeviceId\": \"a1\", \"Name\": \"BIOS\", "
                       "\"Version\": \"1.2\", \"Flags\": [\"updatable\"], \"Releases\": ["
                       "{\"Version\": \"1.4\", \"Flags\": [\"is-upgrade\"]}]}]}' ;;\n"
                       "  get-results*) echo '{\"UpdateState\": 2, \"Releases\": "
                       "[{\"Version\": \"1.4\"}]}' ;;\n"
                       "esac");
    }
};

TEST_F(ProvisionFirmware, IsWrittenByTheDevicesFwupd) {
    device.program("reboot", sign("rebooting") + hang());
    auto program = ChildProgram(command("noprovision", "firmware_update"));
    ASSERT_TRUE(came_to("rebooting")) << program.err();
    device.stop();
    device.start();
    EXPECT_EQ(program.wait().code, 0) << program.err();
    EXPECT_THAT(device.calls(), ContainsRegex("fwupdmgr upgrade a1 -y(.|\n)*reboot(.|\n)*get-results a1"));
}

TEST_F(ProvisionFirmware, ThatCanNotBeWrittenIsAFailureUnlessTheJobIgnoresIt) {
    is_made_by("QEMU");
    EXPECT_EQ(run_stage("noprovision", "firmware_update").code, 1);
    EXPECT_THAT(error_of("firmware_update"), HasSubstr("found the vendor \"QEMU\""));
    job["firmware_update_data"]["ignore_failure"] = true;
    EXPECT_EQ(run_stage("noprovision", "firmware_update").code, 0);
}

class ProvisionCommand : public SshBench {
  protected:
    ProvisionCommand() {
        config["provision_cmds"] = {"flash board"};
        config["recovery_commands"] = {"power mux-off"};
        job["test_data"]["secrets"] = {{"WIFI", "hunter22"}};
        here("flash", "test \"$WIFI\" = hunter22");
    }
};

TEST_F(ProvisionCommand, RunsWhatTheSiteHas) {
    EXPECT_EQ(run_stage("command").code, 0) << log;
    config["cleanup_cmds"] = {"power cleaned"};
    config["firmware_update_cmds"] = {"power updated"};
    EXPECT_EQ(run_stage("command", "firmware_update").code, 0) << log;
    EXPECT_EQ(run_stage("command", "cleanup").code, 0) << log;
    EXPECT_EQ(power(), "updated\ncleaned\n");
}

TEST_F(ProvisionCommand, LeavesADefinedStateWhenToldToEnd) {
    here("flash", sign("flashing") + hang());
    EXPECT_EQ(end_at("flashing", "command", SIGTERM), 128 + SIGTERM);
    EXPECT_EQ(power(), "mux-off\n");
}

TEST_F(ProvisionCommand, LeavesADefinedStateAfterAFailure) {
    here("flash", "exit 46");
    EXPECT_EQ(run_stage("command").code, 46) << "the site's script exits with 46";
    config["provision_timeout"] = 1;
    here("flash", hang());
    EXPECT_EQ(run_stage("command").code, 1);
    EXPECT_THAT(error_of(), HasSubstr("flash board: timed out"));
    EXPECT_EQ(power(), "mux-off\nmux-off\n");
    here("power", "exit 1");
    EXPECT_EQ(run_stage("command").code, 46);
    EXPECT_THAT(error_of(), HasSubstr("the recovery command power mux-off failed"));
}

}  // namespace
}  // namespace trebuchet::harness
