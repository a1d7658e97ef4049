#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/program.hpp"
#include "tests/provision/support/tcp_server.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Runs the real program in its own run folder.
class ProvisionProgram : public testing::Test {
  protected:
    void SetUp() override {
        config("agent_name: board-1\n");
        job(json::object());
    }
    void config(const std::string& yaml) const { folder_.write("default.yaml", yaml); }
    void job(const json& content) const { folder_.write("testflinger.json", content.dump()); }
    void job_with_commands(const json& commands) const { job({{"test_data", {{"test_cmds", commands}}}}); }

    [[nodiscard]] Program start(const std::string& stage,
                                const std::map<std::string, std::string>& environment = {}) const {
        return Program({PROVISION_PROGRAM, "fake_connector", stage, "-c", "default.yaml", "testflinger.json"},
                       folder_.path(), environment);
    }
    /// Runs the program until it exits; its output is in out_ and err_.
    int run(const std::string& stage, const std::map<std::string, std::string>& environment = {}) {
        auto program = start(stage, environment);
        const int code = program.wait();
        out_ = program.out();
        err_ = program.err();
        return code;
    }
    void make_fifo(const char* name) const { ASSERT_EQ(::mkfifo((folder_ / name).c_str(), 0600), 0); }
    void write_program(const char* name, const std::string& text) const {
        folder_.write(name, text);
        std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
    }
    [[nodiscard]] json read_json(const char* name) const {
        return json::parse(text_of(folder_ / name), nullptr, false);
    }
    [[nodiscard]] std::string error_message(const std::string& stage) const {
        return read_json("device-connector-error.json").at(stage + "_exception_info").at("exception_message");
    }

    TemporaryFolder folder_;
    std::string out_;
    std::string err_;
};

TEST_F(ProvisionProgram, EveryStageWritesDeviceInfo) {
    config("agent_name: board-1\ndevice_ip: 10.0.0.7\n");
    job({{"test_data", {{"test_cmds", json::array()}}}, {"reserve_data", {{"timeout", 0}}}});
    for (const auto* stage : {"provision", "firmware_update", "runtest", "test", "allocate", "reserve", "cleanup"}) {
        std::filesystem::remove(folder_ / "device-info.json");
        EXPECT_EQ(run(stage), 0) << stage << err_;
        EXPECT_EQ(read_json("device-info.json"),
                  (json{{"device_info", {{"device_ip", "10.0.0.7"}, {"agent_name", "board-1"}}}}));
        EXPECT_FALSE(std::filesystem::exists(folder_ / "device-connector-error.json")) << stage;
    }
}

TEST_F(ProvisionProgram, ProvisionPrintsProvisionData) {
    job({{"provision_data", {{"url", "http://image"}}}});
    EXPECT_EQ(run("provision"), 0);
    EXPECT_EQ(out_, "{\n  \"url\": \"http://image\"\n}\n");
    EXPECT_THAT(err_,
                ContainsRegex("^[0-9-]+ [0-9:]+,[0-9]+ board-1 INFO: DEVICE CONNECTOR: Running pre-provision hook\n"));
    EXPECT_THAT(err_, HasSubstr(" board-1 INFO: DEVICE CONNECTOR: BEGIN provision\n"));
}

TEST_F(ProvisionProgram, FirmwareUpdateSaysThatThereIsNothingToDo) {
    EXPECT_EQ(run("firmware_update"), 0);
    EXPECT_THAT(err_, HasSubstr("Nothing to update"));
}

TEST_F(ProvisionProgram, RuntestGoesOnAfterAFailureAndReturnsTheLastCode) {
    job_with_commands({"echo one; exit 5", "echo two", "exit 7"});
    EXPECT_EQ(run("runtest"), 7);
    EXPECT_EQ(out_, "one\ntwo\n");
    EXPECT_THAT(err_, AllOf(HasSubstr("Running: echo two"), HasSubstr("Command failed: exit code 5")));
    job_with_commands({"exit 5", "true"});
    EXPECT_EQ(run("runtest"), 0);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "device-connector-error.json"));
}

TEST_F(ProvisionProgram, RuntestTakesCommandsWithCrLineEndsAndSaysSo) {
    job_with_commands({"echo one\r\n[ one = one ]\r", "echo two"});
    EXPECT_EQ(run("runtest"), 0) << err_;
    EXPECT_EQ(out_, "one\ntwo\n");
    EXPECT_THAT(err_, HasSubstr("test_cmds has CR line ends: running it without them"));
    job_with_commands("#!/bin/sh\r\nif true; then\r\n  printf 'a\rb'\r\nfi\r\n");
    EXPECT_EQ(run("runtest"), 0) << err_;
    EXPECT_EQ(out_, "a\rb");
}

TEST_F(ProvisionProgram, RuntestGivesCommandsTheRunFolderAndNoInput) {
    job_with_commands({"cat; pwd -P"});
    EXPECT_EQ(run("test"), 0);
    EXPECT_EQ(out_, std::filesystem::canonical(folder_.path()).string() + "\n");
}

TEST_F(ProvisionProgram, RuntestReturns46LikeAnyOtherCode) {
    job_with_commands({"exit 46"});
    EXPECT_EQ(run("runtest"), 46);
    job_with_commands({"kill -KILL $$"});
    EXPECT_EQ(run("runtest"), 137);
}

TEST_F(ProvisionProgram, RuntestRunsAScriptByBashUnlessItNamesAnother) {
    job_with_commands("words=(a b)\necho ${words[1]} $0\nexit 4\n");
    EXPECT_EQ(run("runtest"), 4);
    EXPECT_EQ(out_, "b ./tf_cmd_script\n");
    struct stat info {};
    ASSERT_EQ(::stat((folder_ / "tf_cmd_script").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0700U);

    job_with_commands("#!/bin/cat\nverbatim\n");
    EXPECT_EQ(run("runtest"), 0);
    EXPECT_EQ(out_, "#!/bin/cat\nverbatim\n");
    job_with_commands("#!/no/such/interpreter\n");
    EXPECT_EQ(run("runtest"), 127);
}

TEST_F(ProvisionProgram, RuntestReplacesALinkInTheWayOfItsScript) {
    std::filesystem::create_symlink(folder_ / "victim", folder_ / "tf_cmd_script");
    job_with_commands("echo run");
    EXPECT_EQ(run("runtest"), 0);
    EXPECT_EQ(out_, "run\n");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "victim"));
}

TEST_F(ProvisionProgram, RuntestBuildsTheEnvironment) {
    config("agent_name: board-1\ndevice_ip: 10.0.0.7\nreboot_script: [off, on]\nenv: {WIFI: lab, DROPPED: ''}\n");
    job({{"test_data",
          {{"test_cmds",
            "echo $AGENT_NAME $DEVICE_IP $REBOOT_SCRIPT $WIFI [${DROPPED-unset}] [${GONE-unset}] "
            "[${EMPTY-unset}] $INHERITED ${#TOKEN}"},
           {"secrets", {{"TOKEN", "s3cret"}, {"EMPTY", ""}, {"GONE", nullptr}}}}}});
    EXPECT_EQ(run("runtest", {{"INHERITED", "own"}, {"GONE", "own"}, {"DROPPED", "own"}}), 0);
    EXPECT_EQ(out_, "board-1 10.0.0.7 off;on lab [unset] [unset] [] own 6\n");
}

TEST_F(ProvisionProgram, RuntestWritesNoSecretAnywhere) {
    const std::string secret = "correct horse battery";
    job({{"test_data", {{"test_cmds", "exit 1"}, {"secrets", {{"TOKEN", secret}}}}}});
    EXPECT_EQ(run("runtest"), 1);
    std::filesystem::remove(folder_ / "testflinger.json");
    EXPECT_THAT(out_ + err_, Not(HasSubstr(secret)));
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
        EXPECT_THAT(text_of(entry.path()), Not(HasSubstr(secret))) << entry.path();
    }
}

TEST_F(ProvisionProgram, RuntestFillsOldTemplatesOnly) {
    config("device_ip: 10.0.0.7\n");
    job_with_commands({"echo {device_ip}", "echo {device_ip} {unknown} '{{x}}'"});
    EXPECT_EQ(run("runtest"), 0);
    EXPECT_EQ(out_, "{device_ip}\n10.0.0.7 {unknown} {x}\n");
    EXPECT_THAT(err_, HasSubstr("Double braces in test_cmds are deprecated"));
}

TEST_F(ProvisionProgram, RuntestLeavesBackgroundCommandsToTheNextOnes) {
    make_fifo("pipe");
    job_with_commands({"echo from the background > pipe &", "cat pipe"});
    EXPECT_EQ(run("runtest"), 0);
    EXPECT_EQ(out_, "from the background\n");
}

TEST_F(ProvisionProgram, RuntestWithoutCommandsFails) {
    for (const auto& content : {json::object(), json{{"test_data", json::object()}}, json{{"test_data", nullptr}}}) {
        job(content);
        EXPECT_EQ(run("runtest"), 1);
        EXPECT_THAT(error_message("runtest"), HasSubstr("test_cmds is missing"));
    }
}

TEST_F(ProvisionProgram, AStopSignalStopsTheCommandsWholeGroup) {
    make_fifo("silent");
    job_with_commands({"trap 'echo stopped; exit 3' TERM; cat silent & wait", "echo next"});
    auto program = start("runtest");
    const std::ofstream silence(folder_ / "silent");  // opens when cat does
    program.signal(SIGTERM);
    // At the end of its output no process of the group is left.
    EXPECT_EQ(program.wait(), 143);
    EXPECT_EQ(program.out(), "stopped\n");
}

TEST_F(ProvisionProgram, SerialOutputIsCapturedDuringATest) {
    const TcpServer console;
    make_fifo("go");
    folder_.write("test-serial.log", "earlier\n");
    config("serial_host: 127.0.0.1\nserial_port: " + std::to_string(console.port()) + "\n");
    job_with_commands({"cat go"});
    auto program = start("runtest");
    const auto connection = console.accept();
    send_text(connection, "login: ");
    std::ofstream(folder_ / "go") << "done\n";
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(program.out(), "done\n");
    EXPECT_EQ(text_of(folder_ / "test-serial.log"), "earlier\nlogin: ");
}

TEST_F(ProvisionProgram, AnUnreachableSerialConsoleIsNotFatal) {
    TcpServer console;
    config("serial_host: 127.0.0.1\nserial_port: " + std::to_string(console.port()) + "\n");
    console.close();
    EXPECT_EQ(run("provision"), 0);
    job_with_commands({"true"});
    EXPECT_EQ(run("runtest"), 0);
}

TEST_F(ProvisionProgram, ReserveInstallsAndRemovesKeys) {
    std::filesystem::create_directories(folder_ / "bin");
    std::filesystem::create_directories(folder_ / "home/.ssh");
    folder_.write("home/.ssh/authorized_keys", "ssh-rsa of the lab");  // without a newline at its end
    const std::string body(68, 'A');
    write_program("bin/ssh-import-id",
                  "#!/bin/sh\necho import \"$@\" >> calls\n"
                  "case $3 in lp:nobody) echo status_code=404; exit 1;; esac\n"
                  "echo \"ssh-ed25519 " +
                      body + " # ssh-import-id $3\" > $2\n");
    write_program("bin/ssh",
                  "#!/bin/sh\ncase $* in *'-O exit'*) exit;; esac\necho ssh >> calls\nHOME=$PWD/home exec sh -s\n");
    config("agent_name: board-1\ndevice_ip: 10.0.0.7\n");
    job({{"job_id", "j-1"},
         {"test_data", {{"test_username", "tester"}}},
         {"reserve_data", {{"ssh_keys", {"lp:nobody", "gh:me", "ssh-rsa " + body}}, {"timeout", 3600}}}});
    const char* path = std::getenv("PATH");
    auto program = start("reserve", {{"PATH", (folder_ / "bin").string() + ":" + (path == nullptr ? "" : path)}});
    ASSERT_TRUE(program.wait_for_output("into "));
    EXPECT_EQ(text_of(folder_ / "home/.ssh/authorized_keys"),
              "ssh-rsa of the lab\nssh-ed25519 " + body + " # ssh-import-id gh:me\nssh-rsa " + body + "\n");
    program.signal(SIGTERM);
    EXPECT_EQ(program.wait(), 143);
    EXPECT_EQ(text_of(folder_ / "home/.ssh/authorized_keys"), "ssh-rsa of the lab\n") << program.err();
    EXPECT_EQ(text_of(folder_ / "calls"), "import -o key.pub lp:nobody\nimport -o key.pub gh:me\nssh\nssh\nssh\n");
    EXPECT_THAT(program.out(), AllOf(HasSubstr("*** TESTFLINGER SYSTEM RESERVED ***\n"),
                                     HasSubstr("You can now connect to tester@10.0.0.7\n"),
                                     HasSubstr("automatically timeout in 3600 seconds\n"), HasSubstr("cancel j-1\n")));
    EXPECT_THAT(program.err(), HasSubstr("Unable to import the ssh key of \"lp:nobody\""));
}

TEST_F(ProvisionProgram, ReserveWaitsForAStopSignal) {
    job({{"reserve_data", {{"timeout", "2h30m"}}}});
    auto program = start("reserve");
    ASSERT_TRUE(program.wait_for_output("To end the reservation sooner"));
    program.signal(SIGTERM);
    EXPECT_EQ(program.wait(), 143);
    EXPECT_THAT(program.out(), HasSubstr("automatically timeout in 9000 seconds\n"));
    EXPECT_THAT(program.err(), HasSubstr("The reservation was ended"));
}

TEST_F(ProvisionProgram, ReportsABadConfigurationWithLineAndColumn) {
    config("agent_name: board-1\nserial_port: http\n");
    EXPECT_EQ(run("provision"), 1);
    EXPECT_THAT(err_, HasSubstr("default.yaml:2:14: serial_port: "));
    const auto info = read_json("device-connector-error.json").at("provision_exception_info");
    EXPECT_EQ(info.at("exception_name"), "ConfigError");
    EXPECT_THAT(info.at("exception_message").get<std::string>(), HasSubstr("default.yaml:2:14"));
    EXPECT_TRUE(info.at("exception_cause").is_null());
    EXPECT_THAT(out_, IsEmpty());
}

TEST_F(ProvisionProgram, ReportsABadJobAndKeepsEarlierErrors) {
    folder_.write("device-connector-error.json", R"({"provision_exception_info": {}})");
    folder_.write("testflinger.json", "{\n  broken");
    EXPECT_EQ(run("reserve"), 1);
    EXPECT_THAT(error_message("reserve"), HasSubstr("testflinger.json:2:"));
    EXPECT_TRUE(read_json("device-connector-error.json").contains("provision_exception_info"));
}

TEST_F(ProvisionProgram, FinishesWhenItsLogIsClosed) {
    job({{"reserve_data", {{"timeout", 0}}}});
    const std::string command =
        std::string(PROVISION_PROGRAM) + " fake_connector reserve -c default.yaml testflinger.json";
    // The reader of both streams is gone before the program starts.
    Program program({"/bin/bash", "-c", "exec > >(exit) 2>&1; wait $!; " + command + "; echo $? > code"},
                    folder_.path(), {});
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(text_of(folder_ / "code"), "0\n");
}

TEST_F(ProvisionProgram, WritesNoLogIntoFilesWhenItHasNoStandardStreams) {
    job_with_commands("echo x");
    Program program({"/bin/bash", "-c",
                     std::string("exec <&- >&- 2>&-; exec ") + PROVISION_PROGRAM +
                         " fake_connector runtest -c default.yaml testflinger.json"},
                    folder_.path(), {});
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(read_json("device-info.json"), (json{{"device_info", {{"agent_name", "board-1"}}}}));
}

TEST_F(ProvisionProgram, AnUnknownKeyOfTheConfigurationIsAWarning) {
    config("agent_name: board-1\ndevice_pi: 10.0.0.7\n");
    EXPECT_EQ(run("cleanup"), 0);
    EXPECT_THAT(err_,
                AllOf(HasSubstr("WARNING"), HasSubstr("default.yaml:2:1"), HasSubstr("did you mean \"device_ip\"?")));
}

TEST_F(ProvisionProgram, ChecksAConfiguration) {
    config("agent_name: board-1\ndevice_pi: x\nserial_port: http\n");
    Program wrong({PROVISION_PROGRAM, "check", "-c", "default.yaml"}, folder_.path());
    EXPECT_EQ(wrong.wait(), 1);
    EXPECT_THAT(wrong.err(), AllOf(HasSubstr("default.yaml:3:14: serial_port: found \"http\", expected a port"),
                                   HasSubstr("warning: default.yaml:2:1: "), HasSubstr("\"device_ip\"?")));
    config("agent_name: board-1\n");
    Program fine({PROVISION_PROGRAM, "check", "-c", "default.yaml", "fake_connector"}, folder_.path());
    EXPECT_EQ(fine.wait(), 0);
    EXPECT_EQ(fine.out(), "default.yaml is fine for fake_connector\n");
    Program missing({PROVISION_PROGRAM, "check", "-c", "missing.yaml"}, folder_.path());
    EXPECT_EQ(missing.wait(), 1);
    EXPECT_THAT(missing.err(), HasSubstr("missing.yaml"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "device-info.json"));
}

TEST_F(ProvisionProgram, WrongUsageExitsWith2AndTouchesNothing) {
    for (const auto& arguments : {std::vector<std::string>{}, {"toaster", "provision"}, {"fake_connector", "bake"}}) {
        auto argv = arguments;
        argv.insert(argv.begin(), PROVISION_PROGRAM);
        Program program(argv, folder_.path());
        EXPECT_EQ(program.wait(), 2);
        EXPECT_THAT(program.err(), HasSubstr("Valid "));
        EXPECT_THAT(program.out(), IsEmpty());
    }
    EXPECT_FALSE(std::filesystem::exists(folder_ / "device-info.json"));
    EXPECT_EQ(run("nonsense"), 2);
}

TEST_F(ProvisionProgram, AnswersListHelpAndVersion) {
    for (const auto* question : {"list", "--help", "--version"}) {
        Program program({PROVISION_PROGRAM, question}, folder_.path());
        EXPECT_EQ(program.wait(), 0);
        EXPECT_THAT(program.out(), Not(IsEmpty()));
        EXPECT_THAT(program.err(), IsEmpty());
    }
}

}  // namespace
}  // namespace trebuchet
