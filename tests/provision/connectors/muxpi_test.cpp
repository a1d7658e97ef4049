#include "tests/provision/connectors/stage_fixture.hpp"

#include <csignal>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class MuxPi : public StageTest {
  protected:
    MuxPi() {
        config_.control_host = "control";
        config_.scalars["test_device"] = "/dev/sda";
        config_.reboot_script = {"snmpset cycle"};
        job_ = R"({"provision_data": {"url": "https://me:hunter22@lab/image.img"}})";
        commands_.piped_output = "an image";
        when("lsblk -J", CommandExited{0},
             R"({"blockdevices": [{"name": "sda", "children": [{"name": "sda1", "label": "writable"}]}]})");
        when("echo core20; exit 0", CommandExited{0}, "ubuntu\n");
    }
    /// Index of the first command that contains the text.
    [[nodiscard]] std::size_t at(const std::string& text) const {
        for (std::size_t i = 0; i < commands_.commands.size(); ++i) {
            auto line = commands_.inputs.at(i);
            for (const auto& word : commands_.commands[i]) line += " " + word;
            if (line.find(text) != std::string::npos) return i;
        }
        return commands_.commands.size();
    }
};

TEST_F(MuxPi, WritesTheCardAndBootsTheDevice) {
    EXPECT_EQ(run("muxpi"), 0);
    const std::vector<std::string> steps{"stm -ts",   "dd of=/dev/sda", "rereadpt",      "sudo mount /dev/sda1",
                                         "user-data", "stm -dut",       "snmpset cycle", "ssh-copy-id"};
    for (std::size_t i = 0; i + 1 < steps.size(); ++i) EXPECT_LT(at(steps[i]), at(steps[i + 1])) << steps[i];
    EXPECT_EQ(count("stm -dut"), 1U);
}

TEST_F(MuxPi, WithoutARebootScriptNothingIsReset) {
    config_.reboot_script.clear();
    EXPECT_EQ(run("muxpi"), 0);
    EXPECT_EQ(count("ssh-copy-id"), 1U);
}

TEST_F(MuxPi, RestartsTheControlHostOfAMuxThatNeedsIt) {
    config_.control_host_reboot_script = {"pdu 'port 4' && x"};
    config_.scalars["control_host_reboot_timeout"] = "20";
    ::setenv("DISABLE_CONTROL_HOST_POWERCYCLE", "1", 1);
    EXPECT_EQ(run("muxpi"), 0);
    EXPECT_EQ(commands_.commands.at(1), (std::vector<std::string>{"pdu", "port 4", "&&", "x"}));
    EXPECT_LT(at("snmpset cycle"), at("stm -ts"));
    EXPECT_EQ(interrupt_.waits.front(), 20s);
    when("pdu", CommandExited{1});
    EXPECT_EQ(run("muxpi").error().exit_code, 1);
    config_.scalars["control_switch_local_cmd"] = "muxctl sdwire set TS";
    EXPECT_EQ(run("muxpi"), 0);
    ::unsetenv("DISABLE_CONTROL_HOST_POWERCYCLE");
}

TEST_F(MuxPi, TakesAChecksumFromTheFragmentOfTheUrl) {
    const std::string sum = "1c2ac51b7ff5ddf1a19ef4ce1b5ee8a5a41cc7f51cf0ee54ab3ba21e14a12d25";
    job_ = R"({"provision_data": {"url": "https://lab/image.img#sha256=)" + sum + "&verify\"}}";
    const auto result = run("muxpi");
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("expected " + sum));
    EXPECT_EQ(count("dd of=/dev/sda"), 2U) << "the same wrong checksum twice is not tried a third time";
    EXPECT_EQ(count("#sha256"), 0U);
    job_ = R"({"provision_data": {"url": "https://lab/image.img#sha265=00"}})";
    EXPECT_THAT(run("muxpi").error().message, HasSubstr("\"sha265=\", expected #sha256="));
}

TEST_F(MuxPi, TakesAChecksumFromTheListBesideTheImage) {
    config_.scalars["image_checksum"] = "SHA256SUMS";
    when("https://me:hunter22@lab/SHA256SUMS", CommandExited{0}, std::string(64, '0') + " *image.img\n");
    const auto result = run("muxpi");
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("expected " + std::string(64, '0')));
}

TEST_F(MuxPi, WritesNothingThatIsNoImage) {
    commands_.piped_output = "<html><body>Please log in</body></html>";
    EXPECT_THAT(run("muxpi").error().message, HasSubstr("a web page (HTML)"));
    EXPECT_EQ(count("dd of=/dev/sda"), 1U) << "it is not tried again";
}

TEST_F(MuxPi, PutsNoCredentialsInACommandLine) {
    job_ = R"({"provision_data": {"url": "https://me:hunter22@lab/i"}, "test_data": {"test_password": "pass-w0rd"}})";
    EXPECT_EQ(run("muxpi"), 0);
    for (const auto& argv : commands_.commands) {
        for (const auto& word : argv) {
            EXPECT_THAT(word, testing::Not(HasSubstr("hunter22")));
            EXPECT_THAT(word, testing::Not(HasSubstr("pass-w0rd")));
        }
    }
}

TEST_F(MuxPi, UsesTheConfiguredSwitchAndScripts) {
    config_.scalars["control_switch_local_cmd"] = "usbsdmux /dev/sg1 host";
    config_.scalars["control_switch_device_cmd"] = "usbsdmux /dev/sg1 dut";
    config_.lists["post_provision_script"] = {"led on", "led blink"};
    when("led on", CommandExited{1});
    EXPECT_EQ(run("muxpi"), 0);
    EXPECT_EQ(count("usbsdmux /dev/sg1 host"), 1U);
    EXPECT_EQ(count("led blink"), 1U) << "a failure is only logged";
    EXPECT_LT(at("led blink"), at("usbsdmux /dev/sg1 dut"));
}

TEST_F(MuxPi, AsksAMuxWithBothMediaForTheDevice) {
    job_ = R"({"provision_data": {"url": "https://lab/i", "media": "usb", "create_user": false}})";
    EXPECT_THAT(run("muxpi").error().message, HasSubstr("\"control_switch_local_cmd\" config must include a mux"));
    config_.scalars["control_switch_local_cmd"] = "sudo muxctl sdwire set TS";
    when("typecmux plug_to_self", CommandExited{0}, "/dev/sdx\n");
    when("sdwire plug_to_self", CommandExited{1});
    EXPECT_EQ(run("muxpi"), 0);
    EXPECT_EQ(count("dd of=/dev/sdx"), 1U);
    EXPECT_EQ(count("sudo muxctl typecmux set DUT"), 1U);
    EXPECT_EQ(count("lsblk -J"), 0U);
    job_ = R"({"provision_data": {"url": "https://lab/i", "media": "floppy"}})";
    EXPECT_THAT(run("muxpi").error().message, HasSubstr("expected sd or usb"));
}

TEST_F(MuxPi, TriesAControlCommandThirteenTimes) {
    when("stm -ts", CommandExited{1}, "mux is busy\n");
    const auto result = run("muxpi");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_EQ(count("stm -ts"), 13U);
    EXPECT_EQ(interrupt_.waits, std::vector<std::chrono::milliseconds>(12, 5s));
    EXPECT_EQ(count("stm -dut"), 1U) << "the card is connected to the device nevertheless";
}

TEST_F(MuxPi, AControlHostThatStaysAwayAfterItsPowerCycleIsAFailure) {
    config_.control_host_reboot_script = {"snmpset control"};
    when("nc -z", CommandExited{1});
    when("-- true", CommandExited{255});
    const auto result = run("muxpi");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_THAT(result.error().message, HasSubstr("the control host does not come back"));
    EXPECT_EQ(count("snmpset control"), 2U) << "by the hook, and before the mux is used";
    EXPECT_EQ(count("stm -ts"), 0U);
}

TEST_F(MuxPi, TheDeviceHasNoPowerWhileItsControlHostRestarts) {
    config_.control_host_reboot_script = {"snmpset control"};
    config_.poweroff_script = {"pdu off"};
    config_.poweron_script = {"pdu on"};
    when("nc -z", CommandExited{1});
    EXPECT_EQ(run("muxpi"), 0);
    EXPECT_LT(at("pdu off"), at("snmpset control"));
    EXPECT_LT(at("snmpset control"), at("pdu on"));
    EXPECT_LT(at("pdu on"), at("stm -ts"));
}

TEST_F(MuxPi, AFailedPowerCycleTakesTheDeviceOffline) {
    when("snmpset", CommandExited{1});
    EXPECT_EQ(run("muxpi").error().exit_code, 46);
}

TEST_F(MuxPi, ADeviceThatDoesNotBootIsAnOrdinaryFailure) {
    when("ssh-copy-id", CommandExited{1}, "Permission denied\n");
    const auto result = run("muxpi");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_THAT(result.error().message, HasSubstr("waited 1200 s"));
}

TEST_F(MuxPi, ChecksTheBootByUrlOnRequest) {
    job_ = R"({"provision_data": {"url": "https://lab/i", "boot_check_url": "http://10.0.0.7/up"}})";
    when("http://10.0.0.7/up", CommandExited{0}, "200");
    EXPECT_EQ(run("muxpi"), 0);
    EXPECT_EQ(count("ssh-copy-id"), 0U);
}

TEST_F(MuxPi, RetriesABrokenDownload) {
    std::size_t downloads = 0;
    const auto inner = commands_.answer;
    commands_.answer = [&](const Command& command) -> std::optional<CommandResult> {
        const auto& argv = command.argv;
        const bool is_download = std::find(argv.begin(), argv.end(), "--speed-time") != argv.end();
        if (is_download && ++downloads == 1) return CommandResult{CommandExited{18}, "curl: (18) closed\n"};
        return inner(command);
    };
    EXPECT_EQ(run("muxpi"), 0);
    EXPECT_EQ(downloads, 2U);
}

TEST_F(MuxPi, RefusesADiskThatTheControlHostUses) {
    when("lsblk -rno MOUNTPOINT /dev/sda", CommandExited{9}, "the control host uses it: /boot\n");
    const auto result = run("muxpi");
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("the control host uses it: /boot"));
    EXPECT_EQ(count("dd of="), 0U);
}

TEST_F(MuxPi, AWrongChecksumFailsAndTheDeviceIsNotBooted) {
    job_ = R"({"provision_data": {"url": "https://lab/i", "checksum": ")" + std::string(64, '0') + R"("}})";
    const auto result = run("muxpi");
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("the checksum of https://lab/i is"));
    EXPECT_EQ(count("snmpset"), 0U);
}

TEST_F(MuxPi, ConnectsTheCardToTheDeviceOnAStopSignal) {
    config_.poweroff_script = {"snmpset off"};
    interrupt_.signal = SIGTERM;
    interrupt_.waits_before_signal = 0;
    bool ignore_stop_signal = false;
    const auto inner = commands_.answer;
    commands_.answer = [&](const Command& command) -> std::optional<CommandResult> {
        if (command.ignore_stop_signal && command.argv.back() == "stm -dut") ignore_stop_signal = true;
        if (command.argv.back() == "stm -ts") {
            interrupt_.waits.push_back(1s);
            return CommandResult{CommandInterrupted{SIGTERM}, ""};
        }
        return inner(command);
    };
    EXPECT_EQ(run("muxpi"), 128 + SIGTERM);
    EXPECT_TRUE(ignore_stop_signal);
    EXPECT_EQ(count("snmpset off"), 1U);
    EXPECT_EQ(count("dd of="), 0U);
}

TEST_F(MuxPi, RetriesMountingUntilPartitionsAppear) {
    std::size_t mounts = 0;
    const auto inner = commands_.answer;
    commands_.answer = [&](const Command& command) -> std::optional<CommandResult> {
        const bool is_mount = command.input.value_or("").find("could be mounted") != std::string_view::npos;
        if (is_mount && ++mounts < 3) return CommandResult{CommandExited{1}, "no partition with a label\n"};
        return inner(command);
    };
    EXPECT_EQ(run("muxpi"), 0);
    EXPECT_EQ(mounts, 3U);
}

TEST_F(MuxPi, AnImageWithoutPartitionsIsAFailure) {
    when("could be mounted", CommandExited{1}, "no partition with a label could be mounted\n");
    std::swap(rules_.front(), rules_.back());
    const auto result = run("muxpi");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_THAT(result.error().message, HasSubstr("no partition with a label could be mounted"));
    EXPECT_EQ(count("stm -dut"), 1U);
}

TEST_F(MuxPi, AnImageOfUnknownTypeGetsNoUserButIsBooted) {
    when("echo core20; exit 0", CommandExited{0}, "");
    std::swap(rules_[1], rules_.back());
    EXPECT_EQ(run("muxpi"), 0);
    EXPECT_EQ(count("user-data"), 0U);
}

TEST_F(MuxPi, AnImageWithoutCloudInitFailsUnlessCreateUserIsFalse) {
    when("echo core20; exit 0", CommandExited{0}, "pi-desktop-before-25\n");
    std::swap(rules_[1], rules_.back());
    EXPECT_THAT(run("muxpi").error().message, HasSubstr("create_user: false"));
    job_ = R"({"provision_data": {"url": "https://lab/i", "create_user": false}})";
    EXPECT_EQ(run("muxpi"), 0);
}

TEST_F(MuxPi, PowersOffByAnyKindOfSwitch) {
    config_.scalars["power"] = "pdudaemon";
    config_.scalars["power_url"] = "http://pdu:16421";
    config_.scalars["power_unit"] = "apc1";
    config_.scalars["power_outlet"] = "3";
    when("stm -ts", CommandExited{1});
    EXPECT_EQ(run("muxpi").error().exit_code, 1);
    EXPECT_EQ(count("/power/control/off?hostname=apc1&port=3"), 1U);
}

TEST_F(MuxPi, NamesTheMissingKeys) {
    config_.scalars.clear();
    EXPECT_THAT(run("muxpi").error().message, HasSubstr("test_device"));
    config_.scalars["test_device"] = "/dev/sda";
    config_.control_host = "";
    EXPECT_THAT(run("muxpi").error().message, HasSubstr("control_host is missing"));
    config_.control_host = "control";
    job_ = "{}";
    EXPECT_THAT(run("muxpi").error().message, HasSubstr("provide a value for \"url\""));
    EXPECT_EQ(count("stm"), 0U);
}

}  // namespace
}  // namespace trebuchet
