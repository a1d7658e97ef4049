#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/child_program.hpp"
#include "tests/integration/harness/left_files.hpp"
#include "tests/integration/harness/tar_gz.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr const char* secret = "s3cr3t-of-the-lab";
constexpr const char* job = R"(
job_queue: bench
provision_data:
  distro: noble
test_data:
  secrets:
    TOKEN: lab/token
  test_cmds:
    - echo "signing in with $TOKEN"
    - mkdir artifacts
    - echo "report by $TOKEN" > artifacts/report.txt
    - echo "boot $TOKEN" > test-serial.log
)";

/// Runs `trebuchet-agent run JOB.yaml --secrets FILE --output DIR`.
class Run : public ::testing::Test {
  protected:
    Run() {
        folder.write("job.yaml", job);
        folder.write("secrets.json", R"({"lab/token": "s3cr3t-of-the-lab"})");
    }

    [[nodiscard]] Command command(std::vector<std::string> further = {}) const {
        std::vector<std::string> arguments{"run",      folder / "job.yaml", "--secrets", folder / "secrets.json",
                                           "--output", folder / "output"};
        arguments.insert(arguments.end(), further.begin(), further.end());
        return {TREBUCHET_AGENT,
                arguments,
                {{"TMPDIR", folder.path()}, {"RUNTIME_DIRECTORY", memory / "runtime"}, {"TERM", "xterm"}},
                folder.path()};
    }

    void configure(const std::string& commands) const {
        folder.write("agent.conf",
                     "agent_id: local\nserver_address: https://unused.example\njob_queues: [none]\n" + commands);
    }
    [[nodiscard]] Ending run_configured() const { return run(command({"-c", folder / "agent.conf"})); }

    [[nodiscard]] std::string output(const std::string& name) const { return text_of(folder / "output" / name); }

    TemporaryFolder folder;
    TemporaryFolder memory{"/dev/shm"};
};

TEST_F(Run, ShowsTheMaskedLogWithPhaseHeadingsAndTimes) {
    const auto ending = run(command());

    EXPECT_EQ(ending.code, 0) << ending.err;
    EXPECT_THAT(ending.out, HasSubstr("signing in with **"));
    EXPECT_THAT(ending.out, Not(HasSubstr(secret)));
    EXPECT_THAT(ending.err, Not(HasSubstr(secret)));
    EXPECT_THAT(ending.out, HasSubstr("noble")) << "the connector prints what it would provision";
    for (const auto* phase : {"provision", "test"}) {
        EXPECT_THAT(ending.out,
                    MatchesRegex("(.|\n)*\n=== [0-9]{2}:[0-9]{2}:[0-9]{2}  " + std::string(phase) + "\n(.|\n)*"));
        EXPECT_THAT(ending.out,
                    MatchesRegex("(.|\n)*\n=== [0-9:]+  " + std::string(phase) + ": ok, [0-9.]+ s\n(.|\n)*"));
    }
}

TEST_F(Run, UsesNoColourWithoutATerminal) {
    EXPECT_THAT(run(command()).out, Not(HasSubstr("\x1b[")));
}

TEST_F(Run, UsesColourOnATerminal) {
    const auto ending = run_on_terminal(command());

    EXPECT_EQ(ending.code, 0);
    EXPECT_THAT(ending.out, HasSubstr("\x1b["));
    EXPECT_THAT(ending.out, HasSubstr("signing in with **"));
    EXPECT_THAT(ending.out, Not(HasSubstr(secret)));
}

TEST_F(Run, UsesNoColourOnATerminalThatWantsNone) {
    auto plain = command();
    plain.environment["NO_COLOR"] = "1";
    EXPECT_THAT(run_on_terminal(plain).out, Not(HasSubstr("\x1b[")));
    auto dumb = command();
    dumb.environment["TERM"] = "dumb";
    EXPECT_THAT(run_on_terminal(dumb).out, Not(HasSubstr("\x1b[")));
}

TEST_F(Run, KeepsWhatTheServerWouldHaveGot) {
    configure(
        "setup_command: echo setting up\n"
        "provision_command: |\n"
        "  printf '{\"device_info\": {\"note\": \"%s\"}}' \"$TOKEN\" > device-info.json\n"
        "test_command: |\n"
        "  mkdir artifacts; echo \"report by $TOKEN\" > artifacts/report.txt\n"
        "  echo \"boot $TOKEN\" > test-serial.log; echo tested with $TOKEN\n");
    const auto ending = run_configured();

    EXPECT_EQ(ending.code, 0) << ending.err;
    EXPECT_THAT(output("setup.log"), HasSubstr("setting up\n"));
    EXPECT_THAT(output("test.log"), HasSubstr("tested with **"));
    EXPECT_THAT(output("test-serial.log"), HasSubstr("boot **"));
    EXPECT_THAT(output("device-info.json"), HasSubstr("**"));
    const auto files = unpack_tar_gz(output("artifacts.tar.gz"));
    ASSERT_EQ(files.size(), 1U);
    EXPECT_THAT(files.begin()->second, HasSubstr("report by **"));
    const auto outcome = nlohmann::json::parse(output("testflinger-outcome.json"));
    EXPECT_EQ(outcome["status"], (nlohmann::json{{"setup", 0}, {"provision", 0}, {"test", 0}}));
    EXPECT_THAT(files_holding(folder / "output", secret), IsEmpty());
}

TEST_F(Run, LeavesNothingElseBehind) {
    static_cast<void>(run(command()));

    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
        names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    EXPECT_THAT(names, ElementsAre("job.yaml", "output", "secrets.json"));
    for (const auto& path : everything_in(memory.path())) EXPECT_TRUE(std::filesystem::is_directory(path)) << path;
}

TEST_F(Run, EndsWithTheExitCodeOfTheFirstPhaseThatFails) {
    configure("provision_command: exit 0\ntest_command: exit 3\ncleanup_command: exit 4\n");
    EXPECT_EQ(run_configured().code, 3);
    configure("provision_command: exit 7\ntest_command: exit 3\n");
    EXPECT_EQ(run_configured().code, 7);
    configure("provision_command: exit 0\ntest_command: exit 0\ncleanup_command: exit 4\n");
    EXPECT_EQ(run_configured().code, 4);
}

TEST_F(Run, TakesAJobInJson) {
    folder.write("job.yaml", R"({"test_data": {"test_cmds": "exit 9"}})");
    EXPECT_EQ(run(command()).code, 9);
}

TEST_F(Run, LeavesASecretEmptyThatTheFileDoesNotHold) {
    folder.write("secrets.json", "{}");
    configure("test_command: echo \"TOKEN is [$TOKEN]\"\n");
    const auto ending = run_configured();

    EXPECT_EQ(ending.code, 0);
    EXPECT_THAT(ending.out, HasSubstr("TOKEN is []"));
    EXPECT_THAT(ending.err, HasSubstr("lab/token"));
}

TEST_F(Run, RefusesASecretsFileThatIsWrong) {
    for (const auto* wrong :
         {"", "s3cr3t-of-the-lab", "[\"s3cr3t-of-the-lab\"]", "{\"lab/token\": \"s3cr3t-of-the-lab\""}) {
        folder.write("secrets.json", wrong);
        const auto ending = run(command());
        EXPECT_EQ(ending.code, 2) << wrong;
        EXPECT_THAT(ending.err, HasSubstr("secrets"));
        EXPECT_THAT(ending.err, Not(HasSubstr(secret)));
    }
}

TEST_F(Run, RefusesAJobFileThatIsWrong) {
    for (const auto* wrong : {"- a list", "test_data: [unclosed", "test_data: text"}) {
        folder.write("job.yaml", wrong);
        const auto ending = run(command());
        EXPECT_EQ(ending.code, 2) << wrong;
        EXPECT_THAT(ending.err, HasSubstr("job.yaml"));
    }
}

TEST_F(Run, RefusesFilesThatAreNotThere) {
    std::filesystem::remove(folder / "secrets.json");
    EXPECT_EQ(run(command()).code, 2);
    std::filesystem::remove(folder / "job.yaml");
    EXPECT_EQ(run(command()).code, 2);
}

TEST_F(Run, CleansUpWhenItIsInterrupted) {
    configure("test_command: echo started; sleep 1000 & wait\ncleanup_command: echo cleaning up\n");
    ChildProgram program(command({"-c", folder / "agent.conf"}));
    ASSERT_TRUE(program.prints("started\n")) << program.err();
    program.signal(SIGINT);
    const auto ending = program.wait();

    EXPECT_NE(ending.code, 0);
    EXPECT_THAT(ending.out, HasSubstr("cleaning up"));
    EXPECT_THAT(living_below(::getpid()), IsEmpty());
}

}  // namespace
}  // namespace trebuchet::harness
