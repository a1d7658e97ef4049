#include "agent/job/phase_environment.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

using Shown = std::map<std::string, std::string>;

Shown shown(const std::map<std::string, SecretString>& values) {
    Shown all;
    for (const auto& [name, value] : values) all[name] = value.reveal();
    return all;
}

Job job_with(const json& fields) {
    json document{{"job_id", "j1"}};
    document.update(fields);
    auto job = parse_job(document.dump());
    EXPECT_TRUE(job);
    return std::move(*job);
}

TEST(SecretsOfAPhase, ThoseOfTheTestGoIntoProvisionAndTest) {
    const auto job = job_with({{"test_data", {{"secrets", {{"TOKEN", "s3cret"}}}}}});
    const Config config;
    for (const Phase phase : all_phases) {
        const bool gets_them = phase == Phase::provision || phase == Phase::test;
        const Shown expected = gets_them ? Shown{{"TOKEN", "s3cret"}} : Shown{};
        EXPECT_EQ(shown(secrets_of_phase(job, phase, config)), expected) << name_of(phase);
    }
}

TEST(SecretsOfAPhase, WhichPhasesGetThemIsConfigured) {
    const auto job = job_with({{"test_data", {{"secrets", {{"TOKEN", "s3cret"}}}}}});
    Config config;
    config.trebuchet.secret_phases = {"reserve"};
    EXPECT_THAT(secrets_of_phase(job, Phase::provision, config), IsEmpty());
    EXPECT_THAT(secrets_of_phase(job, Phase::test, config), IsEmpty());
    EXPECT_THAT(shown(secrets_of_phase(job, Phase::reserve, config)), ElementsAre(Pair("TOKEN", "s3cret")));
}

TEST(SecretsOfAPhase, ItsOwnWinOverThoseOfTheTest) {
    const auto job = job_with({{"test_data", {{"secrets", {{"A", "test"}, {"B", "test"}}}}},
                               {"provision_data", {{"secrets", {{"B", "own"}, {"C", "own"}}}}},
                               {"reserve_data", {{"secrets", {{"D", "own"}}}}}});
    const Config config;
    EXPECT_THAT(shown(secrets_of_phase(job, Phase::provision, config)),
                ElementsAre(Pair("A", "test"), Pair("B", "own"), Pair("C", "own")));
    EXPECT_THAT(shown(secrets_of_phase(job, Phase::test, config)), ElementsAre(Pair("A", "test"), Pair("B", "test")));
    EXPECT_THAT(shown(secrets_of_phase(job, Phase::reserve, config)), ElementsAre(Pair("D", "own")));
}

class PhaseEnvironment : public testing::Test {
  protected:
    [[nodiscard]] Shown environment(const Shown& secrets = {}) {
        std::map<std::string, SecretString> values;
        for (const auto& [name, value] : secrets) values[name] = SecretString(value);
        return shown(phase_environment(std::move(base_), config_, values).variables());
    }

    Environment base_;
    Config config_;
};

TEST_F(PhaseEnvironment, IsTheAgentsWithTheConfigurationsStringsAndTheSecrets) {
    base_.set("PATH", "/bin");
    base_.set("agent_id", "inherited");
    config_.exported = {{"agent_id", "rpi4"}, {"provision_type", "muxpi"}};
    EXPECT_THAT(environment({{"TOKEN", "s3cret"}, {"VOID", ""}}),
                UnorderedElementsAre(Pair("PATH", "/bin"), Pair("agent_id", "rpi4"), Pair("provision_type", "muxpi"),
                                     Pair("TOKEN", "s3cret"), Pair("VOID", "")));
}

TEST_F(PhaseEnvironment, HasNothingThatIsTheAgentsOwn) {
    for (const auto* name :
         {"VAULT_TOKEN", "VAULT_ADDR", "BAO_TOKEN", "SECRET_DB", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET",
          "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "RUNTIME_DIRECTORY", "STATE_DIRECTORY"}) {
        base_.set(name, "x");
    }
    base_.set("HOME", "/root");
    base_.set("MY_SECRET_X", "kept");
    EXPECT_THAT(environment(), UnorderedElementsAre(Pair("HOME", "/root"), Pair("MY_SECRET_X", "kept")));
}

TEST_F(PhaseEnvironment, ASecretOfTheJobMayHaveTheNameOfOneOfTheAgents) {
    base_.set("VAULT_TOKEN", "the agent's");
    EXPECT_THAT(environment({{"VAULT_TOKEN", "the job's"}}), ElementsAre(Pair("VAULT_TOKEN", "the job's")));
}

TEST_F(PhaseEnvironment, ASecretWinsOverAStringOfTheConfiguration) {
    config_.exported = {{"location", "bench"}};
    EXPECT_THAT(environment({{"location", "s3cret"}}), ElementsAre(Pair("location", "s3cret")));
}

TEST_F(PhaseEnvironment, HasNoSecretThatLinuxWouldNotTake) {
    const std::string longest(longest_variable - 2, 'x');
    EXPECT_THAT(environment({{"A", longest}, {"B", longest + "x"}}), ElementsAre(Pair("A", longest)));
}

TEST(SecretsOfAPhase, RefusedOnesAreNotAmongThem) {
    const auto job = job_with({{"test_data", {{"secrets", {{"PATH", "/evil"}, {"TOKEN", "s3cret"}}}}}});
    EXPECT_THAT(shown(secrets_of_phase(job, Phase::test, Config())), ElementsAre(Pair("TOKEN", "s3cret")));
}

TEST(NotesOnSecrets, NameWhatASubmitterMisses) {
    const auto job = job_with(
        {{"test_data",
          {{"secrets",
            {{"BIG", std::string(200'000, 'x')}, {"GONE", ""}, {"LD_PRELOAD", "/evil.so"}, {"TOKEN", "s3cret"}}}}}});
    Config config;
    const auto notes = notes_on_secrets(job, Phase::test, config);
    EXPECT_THAT(notes,
                HasSubstr("the secret BIG is not in the environment: NAME=value has 200004 bytes, and Linux takes "
                          "131071; it is in testflinger.json only\n"));
    EXPECT_THAT(notes, HasSubstr("the secret GONE arrived empty"));
    EXPECT_THAT(notes, HasSubstr("the secret LD_PRELOAD is left out"));
    EXPECT_THAT(notes, AllOf(Not(HasSubstr("TOKEN")), Not(HasSubstr("evil")), Not(HasSubstr("xxx"))));
    EXPECT_EQ(notes_on_secrets(job, Phase::provision, config), notes);
    EXPECT_EQ(notes_on_secrets(job, Phase::cleanup, config), "");
    config.trebuchet.job_file_secrets = JobFileSecrets::none;
    EXPECT_THAT(notes_on_secrets(job, Phase::test, config), Not(HasSubstr("testflinger.json")));
}

TEST(NoteOnSize, NamesTheLongestVariables) {
    Environment environment;
    environment.set("A", std::string(100, 'x'));
    environment.set("B", std::string(300, 'x'));
    environment.set("C", std::string(200, 'x'));
    environment.set("D", "x");
    EXPECT_EQ(note_on_size(environment, 1000), "");
    EXPECT_THAT(note_on_size(environment, 500),
                AllOf(HasSubstr("Linux takes 500"), HasSubstr("the longest are B (302), C (202), A (102)\n")));
}

}  // namespace
}  // namespace trebuchet
