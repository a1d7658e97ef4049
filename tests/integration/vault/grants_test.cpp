#include "tests/integration/vault/vault_lab.hpp"

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Grants : public VaultLab {
  protected:
    void restrict_queue(const char* method) {
        const auto answer = server.ask(clients::administrator, method, std::string("/v1/restricted-queues/") + queue,
                                       {{"client_id", clients::submitter}});
        ASSERT_EQ(answer.status, 200) << answer.body;
    }
    void start_agent_of_restricted_queue() {
        change_grant({{"allow", {{"queue_restricted", true}}}});
        agent.start();
        ASSERT_TRUE(agent.is_ready()) << agent.log();
        restrict_queue("POST");
    }
    std::filesystem::path made_archive() const {
        auto archive = folder / "attachments.tar.gz";
        const auto made = run({"/bin/sh",
                               {"-c", "mkdir test && echo hi > test/script && tar -czf attachments.tar.gz test"},
                               {},
                               folder.path()});
        EXPECT_EQ(made.code, 0) << made.err;
        return archive;
    }
    std::string post_and_wait(const Json& fields) {
        auto id = server.post_job(job(fields));
        EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
        return id;
    }
};

TEST_F(Grants, GiveToJobsOfARestrictedQueue) {
    ASSERT_NO_FATAL_FAILURE(start_agent_of_restricted_queue());
    const auto id = post_and_wait(asking());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[**"));
}

TEST_F(Grants, RefuseJobsOfAnOpenQueue) {
    change_grant({{"allow", {{"queue_restricted", true}}}});
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr("TOKEN=[]"), HasSubstr("is not restricted to owners")));
    EXPECT_EQ(vault.connections(), 0U);
    EXPECT_THAT(agent.log(), HasSubstr("secrets: job " + id + ", grant suite, TOKEN, phase test: refused"));
}

TEST_F(Grants, RefuseAJobWhoseQueueIsNoLongerRestrictedWhenThePhaseBegins) {
    auto held = gate();
    agent.on("setup", "echo waiting; " + held.wait_command());
    ASSERT_NO_FATAL_FAILURE(start_agent_of_restricted_queue());
    const auto id = server.post_job(job(asking()));
    ASSERT_TRUE(server.shows(id, "setup", "waiting")) << agent.log();
    restrict_queue("DELETE");
    held.open();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr("TOKEN=[]"), HasSubstr("is not restricted to owners")));
    EXPECT_EQ(vault.connections(), 0U);
}

TEST_F(Grants, RefuseAJobWhoseQueueWasOpenWhenItWasTaken) {
    auto held = gate();
    agent.on("setup", "echo waiting; " + held.wait_command());
    change_grant({{"allow", {{"queue_restricted", true}}}});
    const auto id = server.post_job(job(asking()));
    agent.start();
    ASSERT_TRUE(server.shows(id, "setup", "waiting")) << agent.log();
    restrict_queue("POST");
    held.open();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr("TOKEN=[]"), HasSubstr("is not restricted to owners")));
}

TEST_F(Grants, GiveToTheClientThatTheServerNames) {
    server.store_secret("unused", "value-of-the-server");
    change_grant({{"allow", {{"client_id", clients::submitter}}}});
    const auto id = run_job(asking({{"test_data", {{"test_cmds", "x"}, {"secrets", {{"OTHER", "unused"}}}}}}));
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[**"));
}

TEST_F(Grants, RefuseAJobWithoutAClient) {
    change_grant({{"allow", {{"client_id", clients::submitter}}}});
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr("TOKEN=[]"), HasSubstr("the job has no client_id")));
    EXPECT_EQ(vault.connections(), 0U);
}

TEST_F(Grants, GiveByANameThatArrivedEmpty) {
    server.store_secret("token", "value-of-the-server");
    const auto id = server.post_job(
        job(asking({{"tags", Json::array()}, {"test_data", {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "token"}}}}}})));
    const auto target = std::string("/v1/secrets/") + clients::submitter + "/token";
    ASSERT_EQ(server.ask(clients::submitter, "DELETE", target).status, 200);
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr("TOKEN=[**"), Not(HasSubstr("arrived empty"))));
}

TEST_F(Grants, GiveWithoutBeingAskedIfTheyAlwaysDo) {
    change_grant({{"always", true}});
    const auto id = run_job({{"test_data", {{"test_cmds", "x"}}}});
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[**"));
}

TEST_F(Grants, RefuseTheWholeJobIfTheySaySo) {
    change_grant({{"otherwise", "refuse"}, {"deny", {{"tags", "fork"}}}});
    const auto id = run_job(asking({{"tags", {"secret:TOKEN", "fork"}}}));
    EXPECT_EQ(server.result(id)["setup_status"], 100);
    EXPECT_FALSE(server.result(id).contains("test_status"));
    EXPECT_THAT(server.log(id, "setup"), HasSubstr("it denies jobs with the tag \"fork\""));
}

TEST_F(Grants, NeverMeetAttachmentsOfAStranger) {
    const auto archive = made_archive();
    const auto with_attachments =
        asking({{"test_data", {{"test_cmds", "x"}, {"attachments", {{{"agent", "script"}}}}}}});
    agent.start();
    const auto refused = server.post_job(job(with_attachments));
    server.attach(refused, archive);
    ASSERT_TRUE(server.reaches(refused, "complete")) << agent.log();
    EXPECT_THAT(server.log(refused, "test"), AllOf(HasSubstr("TOKEN=[]"), HasSubstr("the job has attachments")));
    EXPECT_EQ(vault.connections(), 0U);
}

TEST_F(Grants, MayMeetAttachmentsIfTheLabSaysSo) {
    const auto archive = made_archive();
    change_grant({{"allow", {{"attachments", "any"}}}});
    agent.start();
    const auto id =
        server.post_job(job(asking({{"test_data", {{"test_cmds", "x"}, {"attachments", {{{"agent", "script"}}}}}}})));
    server.attach(id, archive);
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[**"));
}

TEST_F(Grants, GiveFromTheAgentsVariablesAndFiles) {
    agent.set_environment("SECRET_LAB", "dmFsdWUtb2YtdGhlLWxhYg==");
    const auto key = secret_file("key", "content-of-the-key\n");
    agent.on("test", R"(echo "$TOKEN" | sha256sum; sha256sum < "$KEY"; echo $TOKEN $(cat "$KEY"))");
    change_grant({{"env", {{"TOKEN", "env:LAB"}}}, {"files", {{"KEY", "file:" + key.string()}}}});
    const auto id = run_job(asking());
    EXPECT_THAT(server.log(id, "test"),
                AllOf(HasSubstr("TOKEN"), Not(HasSubstr("value-of-the-lab")), Not(HasSubstr("content-of-the-key"))))
        << "the report names what was masked";
    EXPECT_EQ(server.result(id)["test_status"], 0);
    EXPECT_EQ(vault.connections(), 0U);
}

TEST_F(Grants, TellPhasesTheTagsOfTheJob) {
    agent.on("test", R"(printf '%s\n' "$TREBUCHET_TAGS" | grep -x smoke)");
    const auto id = run_job({{"tags", {"smoke", "nightly"}}, {"test_data", {{"test_cmds", "x"}}}});
    EXPECT_EQ(server.result(id)["test_status"], 0);
}

}  // namespace
}  // namespace trebuchet::harness
