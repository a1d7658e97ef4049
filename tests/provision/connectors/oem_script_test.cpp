#include "tests/provision/connectors/stage_fixture.hpp"

#include <cerrno>
#include <csignal>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class OemScript : public StageTest {
  protected:
    OemScript() {
        job_ = R"({"provision_data": {"url": "http://images.example/dell-bto.iso"}})";
        config_.reboot_script = {"powerctl cycle"};
        config_.device_key_file = "";
    }
    [[nodiscard]] std::vector<std::string> program() const {
        for (const auto& words : commands_.commands) {
            if (words.front() == "recovery-from-iso.sh") return words;
        }
        return {};
    }
};

TEST_F(OemScript, RestartsTheDeviceRunsTheProgramAndWaits) {
    EXPECT_EQ(run("oemscript"), 0);
    const auto words = program();
    ASSERT_EQ(words.size(), 7U);
    EXPECT_EQ(words[2], "http://images.example/dell-bto.iso");
    EXPECT_THAT(words[4], HasSubstr(".ssh/id_"));
    EXPECT_EQ(words[6], "10.0.0.7");
    EXPECT_EQ(count("sudo reboot"), 1U);
    EXPECT_THAT(interrupt_.waits, ElementsAre(90s, 90s));
}

TEST_F(OemScript, HpAndLenovoHaveUbuntusRecovery) {
    for (const auto* type : {"hp_oemscript", "lenovo_oemscript"}) {
        commands_.commands.clear();
        EXPECT_EQ(run(type), 0);
        EXPECT_EQ(program().at(1), "--ubr") << type;
    }
    commands_.commands.clear();
    EXPECT_EQ(run("dell_oemscript"), 0);
    EXPECT_EQ(program().at(1), "--dut-iso-url");
}

/// The reference does not catch this and ends without a reset.
TEST_F(OemScript, ACopyOfTheKeyThatHangsMakesTheDeviceRestart) {
    when("ssh-copy-id", CommandTimedOut{});
    const auto result = run("oemscript");
    EXPECT_EQ(count("powerctl cycle"), 1U);
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_THAT(result.error().message, HasSubstr("Failed to boot test image! waited 5400 s"));
}

/// The reference crashes on `provision_data: null`, which the server accepts, and looks for the url after a restart.
TEST_F(OemScript, AJobWithoutUrlIsRefusedBeforeTheDeviceIsTouched) {
    for (const auto* job : {"{}", R"({"provision_data": null})", R"({"provision_data": {"url": ""}})"}) {
        job_ = job;
        EXPECT_THAT(run("oemscript").error().message, HasSubstr("No image url provided"));
    }
    EXPECT_TRUE(commands_.commands.empty());
}

TEST_F(OemScript, AUrlThatAShellOrAnOptionParserCouldTakeIsRefused) {
    for (const auto* url : {"-o/etc/x", "--help", "http://h.example/a;reboot", "http://h.example/$(id)", "file:///etc",
                            "http://h.example/a b", "http://user:secret@h.example/x", "http://h.example/`id`"}) {
        job_ = std::string(R"({"provision_data": {"url": ")") + url + "\"}}";
        const auto result = run("oemscript");
        ASSERT_FALSE(result) << url;
        EXPECT_EQ(result.error().exit_code, 1);
        EXPECT_EQ(result.error().message.find("secret"), std::string::npos);
    }
    EXPECT_TRUE(commands_.commands.empty());
}

TEST_F(OemScript, SaysWhyTheProgramFailed) {
    when("recovery-from-iso.sh", CommandExited{4});
    auto error = run("oemscript").error();
    EXPECT_EQ(error.exit_code, 1);
    EXPECT_THAT(error.message, HasSubstr("Recovery script failed: recovery-from-iso.sh: exit code 4"));
    rules_.back().end = CommandTimedOut{};
    error = run("oemscript").error();
    EXPECT_EQ(error.name, "TimeoutExpired");
    EXPECT_THAT(error.message, HasSubstr("5400 s"));
    rules_.back().end = CommandNotStarted{ENOENT};
    EXPECT_THAT(run("oemscript").error().message, HasSubstr("set recovery_script"));
    rules_.back().end = CommandInterrupted{SIGTERM};
    EXPECT_EQ(run("oemscript"), 143);
}

TEST_F(OemScript, OnlyASwitchThatDoesNotWorkTakesTheDeviceOffline) {
    when("ssh-copy-id", CommandExited{255});
    when("powerctl", CommandExited{1});
    EXPECT_EQ(run("oemscript").error().exit_code, 46);
    rules_.back().end = CommandTimedOut{};
    EXPECT_EQ(run("oemscript").error().exit_code, 46);
    rules_.back().end = CommandNotStarted{ENOENT};
    EXPECT_EQ(run("oemscript").error().exit_code, 1);
    config_.reboot_script.clear();
    EXPECT_EQ(run("oemscript").error().exit_code, 1);
}

TEST_F(OemScript, TheJobsPasswordIsInNoCommandLine) {
    job_ = R"({"provision_data": {"url": "http://i.example/x.iso"}, "test_data": {"test_password": "hunter22"}})";
    EXPECT_EQ(run("oemscript"), 0);
    EXPECT_EQ(count("hunter22"), 0U);
    EXPECT_EQ(count("sshpass -e ssh-copy-id"), 3U);
}

}  // namespace
}  // namespace trebuchet
