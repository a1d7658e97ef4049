#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/child_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

struct Program {
    const char* name;
    const char* path;
};

constexpr std::array<Program, 3> programs{{{"trebuchet-agent", TREBUCHET_AGENT},
                                           {"trebuchet-provision", TREBUCHET_PROVISION},
                                           {"trebuchet-labserver", TREBUCHET_LABSERVER}}};

TEST(EveryProgram, SaysItsVersion) {
    for (const auto& program : programs) {
        const auto ending = run({program.path, {"--version"}});
        EXPECT_EQ(ending.code, 0) << program.name;
        EXPECT_THAT(ending.out, MatchesRegex(std::string(program.name) + " [0-9]+\\.[0-9]+\\.[0-9]+\n"));
        EXPECT_EQ(ending.err, "");
    }
}

TEST(EveryProgram, HelpsOnRequest) {
    for (const auto& program : programs) {
        const auto ending = run({program.path, {"--help"}});
        EXPECT_EQ(ending.code, 0) << program.name;
        EXPECT_THAT(ending.out, HasSubstr("Usage: ")) << program.name;
        EXPECT_THAT(ending.out, HasSubstr("--version")) << program.name;
        EXPECT_EQ(ending.err, "");
    }
}

TEST(EveryProgram, RefusesAnUnknownOptionWithCodeTwo) {
    for (const auto& program : programs) {
        const auto ending = run({program.path, {"--no-such-option"}});
        EXPECT_EQ(ending.code, 2) << program.name;
        EXPECT_EQ(ending.out, "");
        EXPECT_THAT(ending.err, HasSubstr("no-such-option")) << program.name;
    }
}

TEST(AgentCommandLine, HelpsWithEachSubcommand) {
    for (const auto* subcommand : {"run", "mask"}) {
        const auto ending = run({TREBUCHET_AGENT, {subcommand, "--help"}});
        EXPECT_EQ(ending.code, 0) << subcommand;
        EXPECT_THAT(ending.out, HasSubstr("--secrets")) << subcommand;
    }
}

TEST(AgentCommandLine, RefusesAnUnknownSubcommand) {
    EXPECT_EQ(run({TREBUCHET_AGENT, {"walk"}}).code, 2);
}

TEST(AgentCommandLine, RefusesSubcommandsWithoutWhatTheyNeed) {
    EXPECT_EQ(run({TREBUCHET_AGENT, {"run"}}).code, 2);
    EXPECT_EQ(run({TREBUCHET_AGENT, {"mask"}}).code, 2);
    EXPECT_EQ(run({TREBUCHET_AGENT, {"mask", "--secrets", "/nowhere/secrets.json"}}).code, 2);
    const TemporaryFolder folder;
    const auto secrets = folder.write("secrets.json", "{}").string();
    EXPECT_EQ(run({TREBUCHET_AGENT, {"mask", "--secrets", secrets, "--read-size", "0"}}).code, 2);
    EXPECT_EQ(run({TREBUCHET_AGENT, {"mask", "--secrets", secrets, "--read-size", "many"}}).code, 2);
}

TEST(AgentCommandLine, RefusesAConfigurationThatIsNotThereOrWrong) {
    const TemporaryFolder folder;
    const auto missing = run({TREBUCHET_AGENT, {"-c", "/nowhere/agent.conf"}});
    EXPECT_EQ(missing.code, 2);
    EXPECT_THAT(missing.err, HasSubstr("/nowhere/agent.conf"));

    const auto file = folder.write("agent.conf", "agent_id: a\njob_queues: [q]\nserver_address: [x]\n").string();
    const auto wrong = run({TREBUCHET_AGENT, {"-c", file}});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.err, HasSubstr(file + ":3:17: "));
}

TEST(AgentCommandLine, ReadsTheConfigurationInItsFolderWhenNoneIsNamed) {
    const TemporaryFolder folder;
    const auto ending = run({TREBUCHET_AGENT, {}, {}, folder.path()});
    EXPECT_EQ(ending.code, 2);
    EXPECT_THAT(ending.err, HasSubstr("testflinger-agent.conf"));
}

TEST(AgentCommandLine, RefusesACertificateAuthorityThatCanNotBeRead) {
    const TemporaryFolder folder;
    const TemporaryFolder memory("/dev/shm");
    const auto file = folder.write("agent.conf",
                                   "agent_id: a\njob_queues: [q]\nserver_address: https://127.0.0.1:1\n"
                                   "logging_basedir: " +
                                       (folder / "logs").string() + "\ntrebuchet: {tls: {ca_file: /nowhere/ca.pem}}\n");
    const auto ending = run({TREBUCHET_AGENT,
                             {"-c", file},
                             {{"RUNTIME_DIRECTORY", memory / "runtime"}, {"STATE_DIRECTORY", memory / "state"}}});
    EXPECT_EQ(ending.code, 2);
    EXPECT_THAT(ending.err, HasSubstr("/nowhere/ca.pem"));
}

TEST(ProvisionCommandLine, RefusesAnUnknownTypeOrStage) {
    EXPECT_EQ(run({TREBUCHET_PROVISION, {"no_such_type", "provision", "-c", "x", "y"}}).code, 2);
    EXPECT_EQ(run({TREBUCHET_PROVISION, {"fake_connector", "no_such_stage", "-c", "x", "y"}}).code, 2);
    EXPECT_EQ(run({TREBUCHET_PROVISION, {}}).code, 2);
}

TEST(LabserverCommandLine, RefusesAWrongAddress) {
    EXPECT_EQ(run({TREBUCHET_LABSERVER, {}}).code, 2);
    EXPECT_EQ(run({TREBUCHET_LABSERVER, {"--listen", "nowhere"}}).code, 2);
}

}  // namespace
}  // namespace trebuchet::harness
