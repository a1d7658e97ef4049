#include "tests/integration/harness/lab_test.hpp"

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Each phase prints the variables that it has: "phase [TOKEN] [OTHER]".
class Secrets : public LabTest {
  protected:
    Secrets() {
        for (const auto* phase : {"setup", "provision", "test", "cleanup"}) {
            agent.on(phase, R"(echo "TOKEN is [${TOKEN-unset}], OTHER is [${OTHER-unset}]")");
        }
    }
    static Json with_secrets(const Json& secrets) {
        return {{"provision_data", {{"distro", "noble"}}}, {"test_data", {{"test_cmds", "x"}, {"secrets", secrets}}}};
    }
};

TEST_F(Secrets, ReachProvisionAndTestOnly) {
    server.store_secret("token", "a secret value");
    const auto id = run_job(with_secrets({{"TOKEN", "token"}}));

    EXPECT_THAT(server.log(id, "setup"), HasSubstr("TOKEN is [unset]"));
    EXPECT_THAT(server.log(id, "provision"), HasSubstr("TOKEN is [**"));
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN is [**"));
    EXPECT_THAT(server.log(id, "cleanup"), HasSubstr("TOKEN is [unset]"));
}

TEST_F(Secrets, ReachThePhasesThatTheConfigurationNames) {
    server.store_secret("token", "a secret value");
    agent.configure({{"trebuchet", {{"secret_phases", {"setup", "cleanup"}}}}});
    const auto id = run_job(with_secrets({{"TOKEN", "token"}}));

    EXPECT_THAT(server.log(id, "setup"), HasSubstr("TOKEN is [**"));
    EXPECT_THAT(server.log(id, "provision"), HasSubstr("TOKEN is [unset]"));
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN is [unset]"));
    EXPECT_THAT(server.log(id, "cleanup"), HasSubstr("TOKEN is [**"));
}

TEST_F(Secrets, AreEmptyWhenTheServerCanNotReadThem) {
    server.store_secret("token", "a secret value");
    server.store_secret("other", "another one");
    const auto id = server.post_job(job(with_secrets({{"TOKEN", "token"}, {"OTHER", "other"}})));
    const auto target = std::string("/v1/secrets/") + clients::submitter + "/token";
    ASSERT_EQ(server.ask(clients::submitter, "DELETE", target).status, 200);
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN is [], OTHER is [**"));
    EXPECT_EQ(server.result(id)["test_status"], 0);
}

TEST_F(Secrets, AreAllEmptyAndTheJobStillRuns) {
    server.store_secret("token", "a secret value");
    const auto id = server.post_job(job(with_secrets({{"TOKEN", "token"}})));
    static_cast<void>(server.control("POST", "/settings", {{"secrets_store", false}}));
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    EXPECT_THAT(server.log(id, "provision"), HasSubstr("TOKEN is []"));
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN is []"));
    EXPECT_EQ(server.result(id)["test_status"], 0);
}

TEST_F(Secrets, AreThereOnceWhenSingleUse) {
    const auto target = std::string("/v1/secrets/") + clients::submitter + "/once";
    ASSERT_EQ(server.ask(clients::submitter, "PUT", target, {{"value", "used once"}, {"ephemeral", true}}).status, 200);
    const auto first = server.post_job(job(with_secrets({{"TOKEN", "once"}})));
    const auto second = server.post_job(job(with_secrets({{"TOKEN", "once"}})));
    agent.start();
    ASSERT_TRUE(server.reaches(second, "complete")) << agent.log();

    EXPECT_THAT(server.log(first, "test"), HasSubstr("TOKEN is [**"));
    EXPECT_THAT(server.log(second, "test"), HasSubstr("TOKEN is []"));
}

TEST_F(Secrets, ThatAreTooShortAreNamedInTheAgentsLogOnly) {
    server.store_secret("short", "ab");
    const auto id = run_job(with_secrets({{"TOKEN", "short"}}));

    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN is [ab]"));
    EXPECT_THAT(agent.log(), HasSubstr("TOKEN"));
    EXPECT_THAT(agent.log(), HasSubstr("too short"));
    EXPECT_THAT(server.log(id, "test"), Not(HasSubstr("too short")));
}

TEST_F(Secrets, ThatOverlapAreMaskedAsOne) {
    server.store_secret("token", "ipsum dolor");
    server.store_secret("other", "dolor sit");
    agent.on("test", "echo 'Lorem ipsum dolor sit amet'");
    const auto id = run_job(with_secrets({{"TOKEN", "token"}, {"OTHER", "other"}}));

    EXPECT_THAT(server.log(id, "test"), ::testing::MatchesRegex("(.|\n)*Lorem \\*\\*[0-9a-f]{6}\\*\\* amet\n"));
}

TEST_F(Secrets, MayHoldWhatARegularExpressionWouldTripOver) {
    server.store_secret("token", "a[b(c*+?\\d{2");
    const auto id = run_job(with_secrets({{"TOKEN", "token"}}));

    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN is [**"));
    EXPECT_EQ(server.result(id)["test_status"], 0);
}

TEST_F(Secrets, CarryThePlainMaskWhenTheConfigurationAsksForIt) {
    server.store_secret("token", "abc");
    agent.configure({{"trebuchet", {{"mask_hash", "sha256"}}}});
    const auto id = run_job(with_secrets({{"TOKEN", "token"}}));

    // The start of FIPS 180-2's digest of "abc".
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN is [**ba7816**]"));
}

TEST_F(Secrets, ReachNoJobOfAnotherSubmitter) {
    server.store_secret("token", "a secret value");
    const auto reply = server.ask(clients::other_submitter, "POST", "/v1/job", job(with_secrets({{"TOKEN", "token"}})));

    EXPECT_EQ(reply.status, 422);
    EXPECT_THAT(reply.body, HasSubstr("token"));
}

TEST_F(Secrets, AreLeftOutOfTheJobFileWhenTheConfigurationAsksForIt) {
    server.store_secret("token", "a secret value");
    agent.configure({{"trebuchet", {{"job_file_secrets", "none"}}}});
    agent.on("test", R"(echo "TOKEN is [$TOKEN]"; cat testflinger.json)");
    const auto id = run_job(with_secrets({{"TOKEN", "token"}}));

    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN is [**"));
    EXPECT_THAT(server.log(id, "test"), Not(HasSubstr("\"secrets\"")));
}

TEST_F(Secrets, StandInTheJobFileOfThePhasesThatGetThem) {
    server.store_secret("token", "a secret value");
    agent.on("setup", "cat testflinger.json");
    agent.on("test", "cat testflinger.json");
    agent.on("cleanup", "cat testflinger.json");
    const auto id = run_job(with_secrets({{"TOKEN", "token"}}));

    EXPECT_THAT(server.log(id, "setup"), Not(HasSubstr("\"secrets\"")));
    EXPECT_THAT(server.log(id, "test"), HasSubstr(R"("secrets":{"TOKEN":"**)"));
    EXPECT_THAT(server.log(id, "cleanup"), Not(HasSubstr("\"secrets\"")));
}

TEST_F(Secrets, ThatAPhaseFetchesItselfAreMaskedOnceItRegistersThem) {
    agent.on("test", R"(echo ::add-mask::fetched-by-line; echo fetched-by-line
        echo fetched-by-fifo > "$TREBUCHET_MASK_FILE"; echo fetched-by-fifo
        mkdir artifacts; echo fetched-by-line fetched-by-fifo > artifacts/log)");
    agent.on("cleanup", "echo fetched-by-line fetched-by-fifo");
    const auto id = run_job({{"test_data", {{"test_cmds", "x"}}}});
    const auto all = server.log(id, "test") + server.log(id, "cleanup") + Json(server.artifacts(id)).dump();
    EXPECT_THAT(all, Not(HasSubstr("fetched")));
    EXPECT_THAT(all, Not(HasSubstr("add-mask")));
    EXPECT_THAT(server.log(id, "cleanup"),
                ::testing::ContainsRegex("[*]{2}[0-9a-f]{6}[*]{2} [*]{2}[0-9a-f]{6}[*]{2}\n"));
    EXPECT_THAT(agent.log(), Not(HasSubstr("fetched")));
}

TEST_F(Secrets, ThatNobodyRegisteredAreMaskedIfTheyAreWellKnownCredentials) {
    agent.configure({{"trebuchet", {{"mask_credentials_off", {"jwt"}}}}});
    agent.on("test", R"(echo 'GET / HTTP/1.1'; echo 'Authorization: Bearer 0123456789abcdefghij'
        git_url=https://ci:pa55w0rd-of-ci@git.example/repo; echo "cloning $git_url"
        mkdir artifacts; echo "$git_url" > artifacts/log)");
    const auto id = run_job({{"test_data", {{"test_cmds", "x"}}}});
    const auto all = server.log(id, "test") + Json(server.artifacts(id)).dump();
    EXPECT_THAT(all, Not(HasSubstr("0123456789abcdefghij")));
    EXPECT_THAT(all, Not(HasSubstr("pa55w0rd")));
    EXPECT_THAT(server.log(id, "test"), HasSubstr("Authorization: Bearer **"));
    EXPECT_THAT(server.log(id, "test"), HasSubstr("https://ci:**"));
}

}  // namespace
}  // namespace trebuchet::harness
