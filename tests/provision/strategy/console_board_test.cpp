// trebuchet-provision and a board on a pty: two processes, as in a lab.

#include "provision/strategy/console_strategy.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/program.hpp"

#include <csignal>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;

class ConsoleBoard : public testing::Test {
  protected:
    ConsoleBoard() {
        board_.emplace(std::vector<std::string>{"/usr/bin/python3", BOARD_DOUBLE, folder_.path().string()},
                       folder_.path());
        EXPECT_TRUE(board_->wait_for_output("ready "));
        write_config(strategy);
        write_job("[\"echo in $(pwd)\", \"exit 7\"]");
    }
    void write_config(const std::string& steps) {
        folder_.write("default.yaml", "agent_name: board-1\nserial_device: " + (folder_ / "console").string() +
                                          "\nreboot_script: [\"sh -c 'echo cycle >power'\"]\n" +
                                          "poweroff_script: ['echo off >power']\nprovision_cmds: ['true']\n"
                                          "test_on_console: true\nconsole_test_timeout: 60\n" +
                                          steps);
    }
    void write_job(const std::string& commands, const std::string& password = "pa ss") {
        folder_.write("testflinger.json",
                      R"({"test_data": {"test_password": ")" + password + R"(", "test_cmds": )" + commands + "}}");
    }
    int run(const std::string& stage) {
        Program program({TREBUCHET_PROVISION, "command", stage, "-c", "default.yaml", "testflinger.json"},
                        folder_.path());
        const int code = program.wait();
        out_ = program.out();
        err_ = program.err();
        return code;
    }

    static constexpr const char* strategy = R"(console_strategy:
  - {power: cycle, send: ' ', every: 1, expect: '=> $', timeout: 30, state: bootloader}
  - {send_line: boot, expect: 'login: $', timeout: 30}
  - {send_line: root, expect: 'Password: $'}
  - {send_password: true, expect: '# $', timeout: 30, state: shell}
)";
    TemporaryFolder folder_;
    std::optional<Program> board_;
    std::string out_;
    std::string err_;
};

TEST_F(ConsoleBoard, IsBroughtFromOffToAShellAndTested) {
    EXPECT_EQ(run("provision"), 0) << err_;
    EXPECT_THAT(err_, HasSubstr("The device is in the state bootloader"));
    EXPECT_THAT(err_, HasSubstr("The device is in the state shell"));
    EXPECT_THAT(err_, Not(HasSubstr("pa ss")));
    EXPECT_EQ(run("runtest"), 7) << err_;
    EXPECT_THAT(out_, HasSubstr("in " + folder_.path().string()));
    const auto serial = read_file(folder_ / "provision-serial.log", 100'000).value();
    EXPECT_THAT(serial, HasSubstr("Starting kernel"));
    EXPECT_THAT(serial, Not(HasSubstr("pa ss")));
}

TEST_F(ConsoleBoard, RunsAScriptThatIsLongerThanALineOfATerminal) {
    EXPECT_EQ(run("provision"), 0) << err_;
    write_job("\"x='" + std::string(3000, 'a') + "'\\necho ${#x} 'and \\\"quotes\\\"' $((40 + 2))\"");
    EXPECT_EQ(run("runtest"), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("3000 and \"quotes\" 42"));
}

TEST_F(ConsoleBoard, PassesOnEachLineOfATestAtOnceAndLosesNone) {
    EXPECT_EQ(run("provision"), 0) << err_;
    write_job("\"echo first; until test -e go; do sleep 0.1; done; seq 1 20000; printf last; exit 12\"");
    Program program({TREBUCHET_PROVISION, "command", "runtest", "-c", "default.yaml", "testflinger.json"},
                    folder_.path());
    EXPECT_TRUE(program.wait_for_output("first\n"));
    folder_.write("go", "");
    EXPECT_EQ(program.wait(), 12);
    std::string all = "first\n";
    for (int i = 1; i <= 20000; ++i) all += std::to_string(i) + "\n";
    EXPECT_EQ(program.out(), all + "last");
}

TEST_F(ConsoleBoard, AWrongPasswordIsAFailureThatNamesTheStep) {
    write_config(std::string(strategy).replace(std::string(strategy).rfind("timeout: 30"), 11, "timeout: 2"));
    write_job("[]", "wr0ng");
    EXPECT_EQ(run("provision"), 1);
    EXPECT_THAT(err_, HasSubstr("console_strategy, step 4 (to shell): "));
    EXPECT_THAT(err_, HasSubstr("board login:")) << "what it printed last";
    EXPECT_THAT(err_, Not(HasSubstr("wr0ng")));
}

TEST_F(ConsoleBoard, ASilentBoardEndsAtTheLimitAndIsNotTakenOffline) {
    folder_.write("dead", "");
    write_config("console_strategy:\n  - {power: cycle, send: ' ', every: 1, expect: '=> ', timeout: 3}\n");
    EXPECT_EQ(run("provision"), 1);
    EXPECT_THAT(err_, HasSubstr("it printed nothing"));
}

TEST_F(ConsoleBoard, ABrokenPowerSwitchTakesItOffline) {
    write_config("console_strategy:\n  - {power: off}\n");
    auto config = read_file(folder_ / "default.yaml", 10'000).value();
    folder_.write("default.yaml", config.replace(config.find("echo off >power"), 15, "false"));
    EXPECT_EQ(run("provision"), 46);
}

TEST_F(ConsoleBoard, IsStoppedInTheMiddleAndTheNextProvisionWorks) {
    for (const int signal : {SIGTERM, SIGKILL}) {
        write_config("console_strategy:\n  - {power: cycle, expect: 'never', timeout: 600}\n");
        Program program({TREBUCHET_PROVISION, "command", "provision", "-c", "default.yaml", "testflinger.json"},
                        folder_.path());
        EXPECT_TRUE(board_->wait_for_output("power cycle"));
        program.signal(signal);
        EXPECT_EQ(program.wait(), signal == SIGTERM ? 143 : 1009);
    }
    write_config(strategy);
    EXPECT_EQ(run("provision"), 0) << err_;
}

TEST_F(ConsoleBoard, CheckFindsWrongSteps) {
    write_config("console_strategy:\n  - {expect: '(', timeout: 5}\n");
    Program check({TREBUCHET_PROVISION, "check", "-c", "default.yaml", "command"}, folder_.path());
    EXPECT_EQ(check.wait(), 1);
    EXPECT_THAT(check.out() + check.err(), HasSubstr("console_strategy, step 1"));
}

TEST(WithControlBytes, KnowsEscapesAndRefusesOthers) {
    EXPECT_EQ(with_control_bytes("a\\r\\x03\\\\\\e").value(), "a\r\x03\\\x1b");
    for (const auto* wrong : {"\\", "\\q", "\\x1", "\\xgg"}) EXPECT_FALSE(with_control_bytes(wrong)) << wrong;
}

TEST(ReadConsoleStrategy, SaysWhichStepIsWrong) {
    const auto error_of = [](const std::string& steps) {
        const auto read = read_console_strategy(parse_connector_config("console_strategy: " + steps, "f").value());
        return read ? std::string() : read.error().message();
    };
    EXPECT_EQ(error_of("[{power: on}, {expect: x, send: 'y', every: 1}]"), "");
    EXPECT_THAT(error_of("[{power: on}, {power: maybe}]"), HasSubstr("step 2: power: found \"maybe\""));
    EXPECT_THAT(error_of("[{expects: x}]"), HasSubstr("found the key \"expects\""));
    EXPECT_THAT(error_of("[{expect: x, timeout: 0}]"), HasSubstr("timeout: found 0"));
    EXPECT_THAT(error_of("[{every: 1, expect: x}]"), HasSubstr("something to send"));
    EXPECT_THAT(error_of("[{send: a, send_line: b}]"), HasSubstr("more than one"));
    EXPECT_THAT(error_of("boot"), HasSubstr("expected a list of steps"));
}

}  // namespace
}  // namespace trebuchet
