#include "common/vault/es256.hpp"
#include "tests/integration/vault/vault_lab.hpp"

#include <csignal>

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Vault : public VaultLab {
  protected:
    /// Starts a job whose test phase prints that it runs, and waits until the gate opens.
    std::string start_waiting_job(const Json& fields = Json::object()) {
        agent.on("test", "echo running with $TOKEN; " + held_.wait_command());
        auto id = server.post_job(job(asking(fields)));
        agent.start();
        EXPECT_TRUE(server.shows(id, "test", "running")) << agent.log();
        EXPECT_EQ(vault.living_tokens(), 1U);
        return id;
    }

    Gate held_ = gate();
};

TEST_F(Vault, GivesASecretToAJobThatAsks) {
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[**"));
    EXPECT_EQ(server.result(id)["test_status"], 0);
    EXPECT_THAT(agent.log(), HasSubstr("secrets: job " + id +
                                       ", grant suite, vault:secret/team/db#password, TOKEN, phase test: given"));
    expect_one_login_and_one_revocation();
    expect_no_secret_anywhere(id);
}

TEST_F(Vault, IsNotAskedForAJobThatAsksForNothing) {
    const auto id = run_job({{"test_data", {{"test_cmds", "x"}}}});
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[unset]"));
    EXPECT_EQ(vault.connections(), 0U);
}

TEST_F(Vault, IsAskedOnceForTwoPhases) {
    agent.on("provision", R"(echo "TOKEN=[${TOKEN-unset}]")");
    const auto id = run_job(asking({{"provision_data", {{"distro", "noble"}}}}));
    EXPECT_THAT(server.log(id, "provision"), HasSubstr("TOKEN=[**"));
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[**"));
    EXPECT_EQ(vault.count("GET /v1/secret/data/team/db"), 1U);
    expect_one_login_and_one_revocation();
}

TEST_F(Vault, EndsTheLoginOfAJobThatFails) {
    agent.on("test", "echo $TOKEN; exit 7");
    const auto id = run_job(asking());
    EXPECT_EQ(server.result(id)["test_status"], 7);
    expect_one_login_and_one_revocation();
}

TEST_F(Vault, EndsTheLoginOfAJobThatIsCancelled) {
    const auto id = start_waiting_job();
    server.cancel(id);
    ASSERT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();
    EXPECT_TRUE(eventually([&] { return vault.living_tokens() == 0; }));
    expect_one_login_and_one_revocation();
}

TEST_F(Vault, EndsTheLoginOfAJobThatTakesTooLong) {
    const auto id = start_waiting_job({{"global_timeout", 1}});
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_EQ(server.result(id)["test_status"], 247);
    expect_one_login_and_one_revocation();
}

TEST_F(Vault, EndsTheLoginWhenTheAgentStops) {
    agent.configure({{"trebuchet", {{"stop_grace", 0}}}});
    static_cast<void>(start_waiting_job());
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);
    expect_one_login_and_one_revocation();
}

TEST_F(Vault, EndsTheLoginWhenTheAgentStopsNow) {
    agent.configure({{"trebuchet", {{"stop_grace", 600}}}});
    static_cast<void>(start_waiting_job());
    agent.program().signal(SIGTERM);
    ASSERT_TRUE(agent.logs_text("stopping on SIGTERM"));
    agent.program().signal(SIGTERM);
    EXPECT_EQ(agent.program().wait().code, 0);
    expect_one_login_and_one_revocation();
}

TEST_F(Vault, IsLeftAloneByAKilledAgentAndTheNextStartEndsTheLogin) {
    vault.set_ttl(std::chrono::seconds(3));
    const auto id = start_waiting_job();
    ASSERT_TRUE(eventually([&] { return vault.count("POST /v1/auth/token/renew-self") >= 1; })) << "it is renewed";
    agent.program().signal(SIGKILL);
    static_cast<void>(agent.program().wait());
    const auto renewals = vault.count("POST /v1/auth/token/renew-self");
    EXPECT_EQ(vault.living_tokens(), 1U);

    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_EQ(vault.count("POST /v1/auth/token/revoke-accessor"), 1U);
    EXPECT_EQ(vault.count("POST /v1/auth/token/renew-self"), renewals);
    EXPECT_EQ(vault.living_tokens(), 0U);
    EXPECT_THAT(server.log(id, "test"), Not(HasSubstr(secret)));
    expect_no_secret_anywhere(id);
}

TEST_F(Vault, EndsTheLoginOfAKilledAgentByItsLifetimeIfNothingElseMay) {
    vault.allow_revoke_accessor(false);
    const auto id = start_waiting_job();
    agent.program().signal(SIGKILL);
    static_cast<void>(agent.program().wait());
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(agent.log(), HasSubstr("ends by its lifetime"));
    EXPECT_EQ(vault.count("POST /v1/auth/token/renew-self"), 0U);
    EXPECT_EQ(vault.living_tokens(), 1U);
    vault.advance(std::chrono::seconds(1200));
    EXPECT_EQ(vault.living_tokens(), 0U);
}

TEST_F(Vault, ThatIsSealedLeavesTheSecretEmpty) {
    configure({{"vault", {{"max_retries", 0}}}});
    vault.seal();
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"),
                AllOf(HasSubstr("TOKEN=[]"), HasSubstr("the lab's secret TOKEN is empty: it could not be read")));
    EXPECT_THAT(server.log(id, "test"), Not(HasSubstr("ealed")));
    EXPECT_THAT(agent.log(), HasSubstr("sealed"));
}

TEST_F(Vault, ThatIsOverloadedForAMomentIsAskedAgain) {
    vault.fail_next(2, 429);
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[**"));
}

TEST_F(Vault, ThatRedirectsToTheActiveServerIsFollowed) {
    FakeVault standby{ServerIdentity{files_.certificate, files_.key, {}}};
    standby.redirect_to(vault.origin());
    configure({{"vault", {{"address", standby.origin()}}}});
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[**"));
    expect_one_login_and_one_revocation();
}

TEST_F(Vault, ThatIsSealedInMidJobDoesNotHoldTheAgent) {
    const auto id = start_waiting_job();
    vault.seal();
    held_.open();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_EQ(server.result(id)["test_status"], 0);
    EXPECT_THAT(agent.log(), HasSubstr("cannot end the login to Vault, so it ends by its lifetime"));
}

TEST_F(Vault, ThatRestartsInMidJobStillEndsTheLogin) {
    const auto id = start_waiting_job();
    vault.restart();
    held_.open();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    ASSERT_TRUE(agent.logs_text("job " + id + " is done"));
    expect_one_login_and_one_revocation();
}

TEST_F(Vault, ThatRestartsInMidJobIsAskedBySecretsOfLaterPhases) {
    change_grant({{"phases", {"test", "cleanup"}}, {"env", {{"LATER", "vault:secret/team/later#password"}}}});
    vault.put("secret/team/later", {{"password", secret}});
    agent.on("cleanup", "echo LATER=[$LATER]");
    const auto id = start_waiting_job();
    vault.restart();
    held_.open();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "cleanup"), HasSubstr("LATER=[**"));
}

TEST_F(Vault, ThatForgetsItsTokensInMidJobDoesNotHoldTheAgent) {
    const auto id = start_waiting_job();
    vault.restart(true);
    held_.open();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_EQ(server.result(id)["test_status"], 0);
    EXPECT_THAT(agent.log(), HasSubstr("Vault refuses to end the login"));
}

TEST_F(Vault, ThatNeverAnswersDoesNotOutliveACancellation) {
    vault.hold();
    const auto id = server.post_job(job(asking()));
    agent.start();
    ASSERT_TRUE(eventually([&] { return vault.connections() > 0; })) << agent.log();
    server.cancel(id);
    ASSERT_TRUE(server.shows(id, "test", "cancellation was requested")) << agent.log();
    vault.release();
    ASSERT_TRUE(eventually([&] { return server.result(id).contains("test_status"); })) << agent.log();
    EXPECT_EQ(server.result(id)["test_status"], 247);
    EXPECT_EQ(vault.living_tokens(), 0U);
}

TEST_F(Vault, FailsThePhaseIfTheGrantSaysSo) {
    change_grant({{"on_missing", "fail"}, {"env", {{"TOKEN", "vault:secret/team/none#password"}}}});
    const auto id = run_job(asking());
    EXPECT_EQ(server.result(id)["test_status"], 100);
    EXPECT_THAT(server.log(id, "test"), HasSubstr("ERROR: the phase cannot run without its secrets"));
}

TEST_F(Vault, GivesEachFieldOfADocument) {
    Json fields;
    for (int i = 0; i < 40; ++i) fields["FIELD_" + std::to_string(i)] = "value-of-field-" + std::to_string(i);
    vault.put("secret/suite", fields);
    agent.on("test", "env | grep -c ^CI_FIELD_; echo $CI_FIELD_39");
    change_grant({{"env", nullptr}, {"env_from", "vault:secret/suite"}, {"env_prefix", "CI_"}});
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr("\n40\n**"), Not(HasSubstr("value-of-field"))));
    EXPECT_EQ(vault.count("GET /v1/secret/data/suite"), 1U);
}

TEST_F(Vault, GivesAFile) {
    vault.put("secret/key", {{"pem", "BEGIN-of-the-key\nEND-of-the-key\n"}});
    agent.on("test", R"(stat -c '%a %F' "$KEY"; wc -l < "$KEY"; cat "$KEY"; df --output=fstype "$KEY" | tail -1)");
    change_grant({{"files", {{"KEY", "vault:secret/key#pem"}}}});
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"),
                AllOf(HasSubstr("400 regular file\n2\n**"), HasSubstr("tmpfs"), Not(HasSubstr("of-the-key"))));
    EXPECT_THAT(agent.files_holding("of-the-key"), ::testing::IsEmpty());
}

TEST_F(Vault, AcceptsAnIdentityOfTheJob) {
    const auto key = make_es256_key().value();
    secret_file("identity.pem", key.private_pem.reveal());
    vault.trust(key.public_pem, "vault.lab.test", {{"queue", queue}, {"queue_restricted", "unknown"}});
    configure({{"vault",
                {{"login", "jwt"},
                 {"role", "lab"},
                 {"audience", "vault.lab.test"},
                 {"signing_key_file", agent.folder() / "identity.pem"}}}});
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[**"));
    EXPECT_EQ(vault.last_claims()["job_id"], id);
    EXPECT_EQ(vault.last_claims()["agent_id"], agent_id);
    EXPECT_EQ(vault.revocations(), 1U);
}

TEST_F(Vault, WithoutNamespacesIsRefusedAtTheStartIfOneIsConfigured) {
    configure({{"vault", {{"namespace", "team"}}}});
    agent.start();
    EXPECT_EQ(agent.program().wait().code, 2);
    EXPECT_THAT(agent.log(), HasSubstr("the server has no namespaces"));
}

TEST_F(Vault, OfOpenBaoMayHaveNamespaces) {
    vault.set_enterprise(std::nullopt);
    configure({{"vault", {{"namespace", "team"}}}});
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[**"));
    EXPECT_EQ(vault.raw_requests().back().header("X-Vault-Namespace"), "team");
}

TEST_F(Vault, ThatIsAwayDoesNotKeepTheAgentFromStarting) {
    configure({{"vault", {{"namespace", "team"}, {"address", "https://127.0.0.1:1"}, {"max_retries", 0}}}});
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[]"));
}

TEST_F(Vault, GivesAStandingTokenNoEnd) {
    secret_file("token", vault.make_token(std::chrono::hours(1)));
    configure({{"vault", {{"login", "token"}, {"token_file", agent.folder() / "token"}}}});
    const auto first = run_job(asking());
    const auto second = run_job(asking());
    EXPECT_THAT(server.log(second, "test"), HasSubstr("TOKEN=[**"));
    EXPECT_EQ(vault.count("POST /v1/auth/token/create"), 2U);
    EXPECT_EQ(vault.revocations(), 2U);
}

TEST_F(Vault, ShowsPhasesNothingOfTheAgentsCredentials) {
    agent.set_environment("VAULT_TOKEN", "hvs.of-the-agent");
    agent.set_environment("BAO_ADDR", "https://127.0.0.1:1");
    agent.set_environment("SECRET_LAB", "c2VjcmV0");
    agent.set_environment("LAB_TOKEN", "plain-token-of-the-lab");
    configure({{"environment", {"LAB_TOKEN"}}});
    agent.on("test", "env | grep -e ^VAULT -e ^BAO -e ^SECRET -e ^LAB_TOKEN; echo done");
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("***\ndone\n"));
}

}  // namespace
}  // namespace trebuchet::harness
