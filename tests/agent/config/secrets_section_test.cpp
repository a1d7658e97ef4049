#include "agent/config/load_config.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

tl::expected<LoadedConfig, std::vector<ConfigProblem>> with_secrets(const std::string& section) {
    return parse_config(
        "{agent_id: a, server_address: lab, job_queues: [q], trebuchet: {secrets:\n" + section + "\n}}\n", "a.conf");
}

SecretsConfig read(const std::string& section) {
    auto loaded = with_secrets(section);
    if (loaded) return loaded->config.trebuchet.secrets;
    for (const auto& problem : loaded.error()) ADD_FAILURE() << problem.message();
    return {};
}

std::string problems_of(const std::string& section) {
    std::string text;
    if (const auto loaded = with_secrets(section); !loaded) {
        for (const auto& problem : loaded.error()) text += problem.message() + "\n";
    }
    return text;
}

std::string problem_of_grant(const std::string& keys) {
    return problems_of("{grants: [{name: g, allow: {queue: q}, " + keys + "}]}");
}

TEST(SecretsSection, GrantsNothingByDefault) {
    const auto config = read("{}");
    EXPECT_THAT(config.grants, IsEmpty());
    EXPECT_THAT(config.environment, IsEmpty());
    EXPECT_EQ(config.vault.address, "");
}

TEST(SecretsSection, ReadsAGrant) {
    const auto config = read(R"({grants: [{name: suite,
        allow: {queue: [vip, lab], queue_restricted: true, client_id: team-a, attachments: any},
        deny: {tags: [fork], name: nightly, priority_below: 1},
        always: true, phases: [setup, test],
        env: {TOKEN: "vault:secret/team/db#password"}, files: {KEY: "file:/etc/key"},
        env_from: "vault:secret/suite", env_prefix: CI_, otherwise: refuse, on_missing: fail}]})");
    ASSERT_EQ(config.grants.size(), 1U);
    const auto& grant = config.grants[0];
    EXPECT_EQ(grant.name, "suite");
    EXPECT_THAT(grant.allow.queues, ElementsAre("vip", "lab"));
    EXPECT_TRUE(grant.allow.queue_restricted);
    EXPECT_THAT(grant.allow.client_ids, ElementsAre("team-a"));
    EXPECT_TRUE(grant.allow.any_attachments);
    EXPECT_THAT(grant.deny.tags, ElementsAre("fork"));
    EXPECT_THAT(grant.deny.names, ElementsAre("nightly"));
    EXPECT_EQ(grant.deny.priority_below, 1);
    EXPECT_TRUE(grant.always);
    EXPECT_THAT(grant.phases, ElementsAre("setup", "test"));
    EXPECT_THAT(
        grant.env,
        ElementsAre(Pair("TOKEN", SecretReference{SecretReference::Source::vault, "secret/team/db", "password"})));
    EXPECT_THAT(grant.files, ElementsAre(Pair("KEY", SecretReference{SecretReference::Source::file, "/etc/key", ""})));
    EXPECT_EQ(grant.env_from->text(), "vault:secret/suite");
    EXPECT_EQ(grant.env_prefix, "CI_");
    EXPECT_EQ(grant.otherwise, Otherwise::refuse);
    EXPECT_EQ(grant.on_missing, OnMissing::fail);
}

TEST(SecretsSection, GivesAGrantSafeDefaults) {
    const auto grant = read("{grants: [{name: g, allow: {client_id: a}, env: {A: \"env:A\"}}]}").grants.at(0);
    EXPECT_FALSE(grant.allow.any_attachments);
    EXPECT_FALSE(grant.always);
    EXPECT_THAT(grant.phases, ElementsAre("provision", "test"));
    EXPECT_EQ(grant.otherwise, Otherwise::empty);
    EXPECT_EQ(grant.on_missing, OnMissing::empty);
}

TEST(SecretsSection, RefusesAGrantForEverybody) {
    EXPECT_THAT(problems_of("{grants: [{name: g, env: {A: \"env:A\"}}]}"), HasSubstr("found no condition"));
    EXPECT_THAT(problems_of("{grants: [{name: g, allow: {attachments: any}, env: {A: \"env:A\"}}]}"),
                HasSubstr("found no condition"));
}

TEST(SecretsSection, WarnsOfAGrantForEverybodyWhoMayPostToAQueue) {
    const auto loaded = with_secrets("{grants: [{name: g, allow: {queue: q}, env: {A: \"env:A\"}}]}");
    ASSERT_TRUE(loaded);
    ASSERT_EQ(loaded->warnings.size(), 1U);
    EXPECT_THAT(loaded->warnings[0].message(), HasSubstr("everybody who may post"));
}

TEST(SecretsSection, WarnsOfALoginThatCanNotWork) {
    const auto warnings_of = [](const std::string& vault) {
        std::string text;
        const auto loaded = with_secrets(
            "{grants: [{name: g, allow: {client_id: a}, env: {A: \"vault:secret/a#b\"}}], vault: " + vault + "}");
        if (!loaded) return std::string("a problem");
        for (const auto& warning : loaded->warnings) text += warning.message();
        return text;
    };
    EXPECT_THAT(warnings_of("{}"), HasSubstr("login: jwt needs signing_key_file"));
    EXPECT_EQ(warnings_of("{signing_key_file: /key}"), "");
    EXPECT_THAT(warnings_of("{login: approle}"), HasSubstr("login: approle needs role_id"));
    EXPECT_EQ(warnings_of("{login: approle, role_id: r}"), "");
    EXPECT_EQ(warnings_of("{login: token}"), "");
}

TEST(SecretsSection, RefusesWhatAGrantCanNotBe) {
    EXPECT_THAT(problem_of_grant("always: true"), HasSubstr("found no secrets"));
    EXPECT_THAT(problem_of_grant("env: {A: \"env:A\"}, files: {A: \"env:A\"}"), HasSubstr("has, too"));
    EXPECT_THAT(problem_of_grant("env: {A: \"env:A\"}, env_prefix: CI_"), HasSubstr("found no env_from"));
    EXPECT_THAT(problem_of_grant("env: {1A: \"env:A\"}"), HasSubstr("name of a variable"));
    EXPECT_THAT(problem_of_grant("env: {A: \"env:A\"}, phases: [tests]"), HasSubstr("did you mean test?"));
    EXPECT_THAT(problem_of_grant("env: {A: \"env:A\"}, allows: {}"), HasSubstr("did you mean"));
    EXPECT_THAT(problem_of_grant("env_from: \"env:A\""), HasSubstr("vault:mount/path"));
    EXPECT_THAT(problems_of("{grants: [{name: g, allow: {tags: [x]}, env: {A: \"env:A\"}}]}"),
                HasSubstr("unknown key \"trebuchet.secrets.grants[0].allow.tags\""));
    EXPECT_THAT(problems_of("{grants: [{name: g, allow: {queue: q}, env: {A: \"env:A\"}},"
                            " {name: g, allow: {queue: q}, env: {A: \"env:A\"}}]}"),
                HasSubstr("is taken"));
}

TEST(SecretsSection, QuotesNoValueThatStandsWhereAReferenceBelongs) {
    EXPECT_THAT(problem_of_grant("env: {A: hunter2}"), AllOf(HasSubstr("env.A"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(problems_of("{vault: {token_file: hvs.abcdef}}"), Not(HasSubstr("hvs.")));
}

TEST(SecretsSection, ReadsTheVault) {
    const auto vault = read(R"({vault: {address: "https://vault.lab:8200", ca_file: /ca.pem, server_name: vault.lab,
        namespace: team, login: approle, mount: lab-approle, role_id: r1, secret_id_file: /run/id,
        secret_id_is_wrapped: true, timeout: 5, max_retries: 0}})")
                           .vault;
    EXPECT_EQ(vault.address, "https://vault.lab:8200");
    EXPECT_EQ(vault.ca_file, "/ca.pem");
    EXPECT_EQ(vault.server_name, "vault.lab");
    EXPECT_EQ(vault.name_space, "team");
    EXPECT_EQ(vault.login, VaultLogin::approle);
    EXPECT_EQ(vault.mount, "lab-approle");
    EXPECT_EQ(vault.role_id, "r1");
    EXPECT_TRUE(vault.secret_id_is_wrapped);
    EXPECT_EQ(vault.timeout, std::chrono::seconds(5));
    EXPECT_EQ(vault.max_retries, 0);
}

TEST(SecretsSection, WantsAnAddressOfHttps) {
    EXPECT_THAT(problems_of("{vault: {address: \"http://vault.lab:8200\"}}"), HasSubstr("https"));
    EXPECT_EQ(problems_of("{vault: {address: \"http://127.0.0.1:8200\"}}"), "");
}

}  // namespace
}  // namespace trebuchet
