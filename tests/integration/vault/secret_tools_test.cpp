#include "tests/integration/vault/vault_lab.hpp"

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// The subcommands for secrets, with the configuration of the lab.
class SecretTools : public VaultLab {
  protected:
    Ending tool(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment = {}) {
        agent.write_configuration();
        auto all = arguments;
        all.insert(all.end(), {"-c", agent.folder() / "testflinger-agent.conf"});
        return run({TREBUCHET_AGENT, all, environment, agent.folder().path()});
    }
    std::string explain(const std::string& job, const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{"secret", "explain", folder.write("job.yaml", job), "--queue", queue};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto ending = tool(arguments);
        EXPECT_EQ(ending.code, 0) << ending.err;
        return ending.out;
    }
};

TEST_F(SecretTools, ExplainWhatAJobWouldGet) {
    EXPECT_EQ(explain("tags: [secret:suite]\ntest_data: {test_cmds: x}\n"), "suite: gives TOKEN to provision, test\n");
    EXPECT_EQ(explain("tags: [\"secret:TOKEN\"]\n"), "suite: gives TOKEN to provision, test\n");
    EXPECT_THAT(explain("test_data: {test_cmds: x}\n"), HasSubstr("add the tag secret:suite"));
    EXPECT_THAT(explain("test_data: {secrets: {TOKEN: a/path}}\n"), HasSubstr("gives TOKEN"));
}

TEST_F(SecretTools, ExplainWhyAJobGetsNothing) {
    change_grant({{"allow", {{"queue", "vip"}, {"client_id", "team-a"}, {"queue_restricted", true}}},
                  {"deny", {{"tags", "fork"}}}});
    EXPECT_THAT(
        explain("tags: [secret:suite, fork]\ntest_data: {attachments: [{agent: x}]}\n", {"--client-id", "team-a"}),
        AllOf(HasSubstr("add `secrets: {}`"), HasSubstr("the queue \"bench\" is not one"), HasSubstr("no client_id"),
              HasSubstr("attachments"), HasSubstr("the tag \"fork\"")));
    change_grant({{"allow", {{"queue", queue}}}, {"otherwise", "refuse"}});
    EXPECT_THAT(explain("tags: [secret:suite]\ntest_data: {secrets: {}}\n", {"--client-id", "team-b"}),
                StartsWith("suite: refuses the job: the client_id \"team-b\" is not one"));
    EXPECT_EQ(explain("tags: [secret:suite]\ntest_data: {secrets: {}}\n", {"--client-id", "team-a"}),
              "suite: gives TOKEN to provision, test, if the server lets only owners post to the queue\n");
    EXPECT_EQ(vault.connections(), 0U);
}

TEST_F(SecretTools, MakeAnIdentityOnceAndSayHowVaultTrustsIt) {
    const auto key = agent.folder() / "identity.pem";
    EXPECT_EQ(tool({"secret", "identity"}).code, 2) << "no file is configured";
    configure({{"vault", {{"login", "jwt"}, {"role", "lab"}, {"signing_key_file", key}}}});
    const auto first = tool({"secret", "identity"});
    EXPECT_EQ(first.code, 0) << first.err;
    EXPECT_THAT(first.out, AllOf(StartsWith("-----BEGIN PUBLIC KEY-----"), HasSubstr("vault auth enable -path=jwt jwt"),
                                 HasSubstr("vault write auth/jwt/role/lab"),
                                 HasSubstr("path \"secret/data/team/db\" { capabilities = [\"read\"] }"),
                                 HasSubstr("\"agent_id\": \"board-1\"")));
    EXPECT_THAT(first.out, Not(HasSubstr("PRIVATE")));
    struct stat info {};
    ASSERT_EQ(::stat(key.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0600U);
    EXPECT_EQ(tool({"secret", "identity"}).out, first.out) << "the key stays";

    // The agent then logs in with it.
    const auto end = first.out.find("-----END PUBLIC KEY-----\n") + 25;
    vault.trust(first.out.substr(0, end), vault.origin(), {{"agent_id", agent_id}});
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[**"));
}

TEST_F(SecretTools, EncodeAnEnvFile) {
    const auto file = secret_file("lab.env", "export A=foobar # comment\nB='x y'");
    const auto ending = run({TREBUCHET_AGENT, {"secret", "encode-env", file}, {}, folder.path()});
    EXPECT_EQ(ending.out, "SECRET_A=Zm9vYmFy\nSECRET_B=eCB5\n");
    ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
    const auto refused = run({TREBUCHET_AGENT, {"secret", "encode-env", file}, {}, folder.path()});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("chmod 0600"), Not(HasSubstr("foobar"))));
}

TEST_F(SecretTools, CheckEachReferenceOnline) {
    change_grant({{"env", {{"LAB", "env:LAB"}}}, {"files", {{"OWN", "server:TOKEN"}}}});
    const auto fine = tool({"check-config", "--online"}, {{"SECRET_LAB", "Zm9vYmFyLW9mLXRoZS1sYWI="}});
    EXPECT_THAT(fine.out,
                AllOf(HasSubstr("ok      secret         grant suite: vault:secret/team/db#password: can be read\n"),
                      HasSubstr("ok      secret         grant suite: env:LAB: can be read\n"), Not(HasSubstr("foobar")),
                      Not(HasSubstr(secret))));
    EXPECT_EQ(vault.revocations(), 1U);
    EXPECT_EQ(vault.living_tokens(), 0U);
}

TEST_F(SecretTools, SayWhatIsWrongWithAReference) {
    change_grant({{"env",
                   {{"TOKEN", "vault:secret/team/db#none"},
                    {"A", "vault:secret/other/x#y"},
                    {"B", "vault:secret/team/none#y"},
                    {"C", "env:NONE"}}}});
    const auto ending = tool({"check-config", "--online"});
    EXPECT_EQ(ending.code, 1);
    EXPECT_THAT(ending.out,
                AllOf(HasSubstr("vault:secret/team/db#none: cannot be read: missing, the document has no field"),
                      HasSubstr("vault:secret/other/x#y: cannot be read: denied, "), HasSubstr("read on secret/data/"),
                      HasSubstr("vault:secret/team/none#y: cannot be read: missing, "),
                      HasSubstr("env:NONE: cannot be read: missing, the agent has no variable SECRET_NONE")));
    secret_file("secret_id", "wrong");
    EXPECT_THAT(tool({"check-config", "--online"}).out, HasSubstr("cannot log in to Vault"));
}

}  // namespace
}  // namespace trebuchet::harness
