#include "agent/secrets/repository_of_job.hpp"

#include "common/sealed_value/key_folder.hpp"
#include "common/secret/base64.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

/// Three pairs, in turn: making one takes a second.
Result<RsaKeyPair> next_key() {
    static std::vector<RsaKeyPair> keys;
    static std::size_t turn = 0;
    if (keys.size() < 3) keys.push_back(std::move(*make_rsa_key()));
    const auto& key = keys[turn++ % 3];
    return RsaKeyPair{key.private_pem.clone(), key.public_pem};
}

class RepositoryOfJobTest : public testing::Test, public SecretSink {
  protected:
    RepositoryOfJobTest() {
        config_.key_folder = folder_ / "keys";
        config_.repositories.push_back(
            {.url = "git@git.example.org:team/app", .queues = {"vip"}, .client_ids = {"team-a"}});
        facts_.queue = "vip";
        facts_.client_id = "team-a";
    }
    std::string sealed(const std::string& value, const KeyOwner& owner) {
        auto keys = *KeyFolder::open(folder_ / "keys", next_key);
        return std::string(
            std::string_view(base64_encoded(*rsa_encrypted(*keys.public_key(owner, clock_.wall_time()), value))));
    }
    std::string sealed(const std::string& value) { return sealed(value, {url_, "team-a"}); }

    void secret_value(const std::string& name, std::string_view value) override {
        masked_.push_back(name + "=" + std::string(value));
    }
    void secret_access(const SecretAccess& access) override {
        audit_.push_back(access.name + " " + std::string(name_of(access.outcome)) + " " + access.why);
        EXPECT_EQ(access.source(), "repository");
    }
    RepositoryOfJob& repository() {
        if (!repository_) {
            repository_.emplace(
                RepositoryOfJob::Parts{.loop = loop_,
                                       .clock = clock_,
                                       .config = config_,
                                       .facts = facts_,
                                       .names = {"rpi4-1", "vip"},
                                       .cache = cache_,
                                       .scratch = folder_.path(),
                                       .is_dangerous = [](std::string_view name) { return name == "PATH"; }});
        }
        return *repository_;
    }
    std::map<std::string, std::string> secrets() {
        std::map<std::string, std::string> texts;
        for (const auto& [name, value] : repository().values("test", *this).secrets) {
            texts[name] = std::string(value.reveal());
        }
        return texts;
    }
    std::map<std::string, std::string> variables() { return repository().values("test", *this).variables; }
    std::string notes() { return repository().values("test", *this).notes; }

    const std::string url_ = "https://git.example.org/team/app";
    const TemporaryFolder folder_;
    EventLoop loop_;
    FakeClock clock_;
    SecretsConfig config_;
    JobFacts facts_;
    Result<std::optional<std::string>> file_ = std::optional<std::string>("version: 1\n");
    int reads_ = 0;
    RepositoryCache cache_{{[](const auto& /*ask*/) { return Result<std::string>("c1"); },
                            [this](const auto& /*ask*/, const auto& /*commit*/) {
                                ++reads_;
                                return file_;
                            }}};
    std::vector<std::string> masked_;
    std::vector<std::string> audit_;

  private:
    std::optional<RepositoryOfJob> repository_;
};

TEST_F(RepositoryOfJobTest, GivesVariablesSecretsAndContext) {
    file_ = std::optional("version: 1\nenvironments:\n  variables: {A: a}\n  secrets: {TOKEN: " + sealed("s3cret") +
                          "}\n  tmt: {context: {how: full, a-b: [x, y]}, environment: {B: b, C: " + sealed("other") +
                          "}}\n");
    EXPECT_THAT(secrets(), ElementsAre(Pair("C", "other"), Pair("TOKEN", "s3cret")));
    EXPECT_THAT(variables(), ElementsAre(Pair("A", "a"), Pair("B", "b"), Pair("TMT_CONTEXT_A_B", "x,y"),
                                         Pair("TMT_CONTEXT_HOW", "full")));
    EXPECT_EQ(notes(), "");
    EXPECT_THAT(masked_, ElementsAre("C=other", "TOKEN=s3cret"));
    EXPECT_THAT(audit_, ElementsAre("C given ", "TOKEN given "));
    EXPECT_EQ(reads_, 1);
}

TEST_F(RepositoryOfJobTest, IsForItsSubmittersAndQueuesOnly) {
    facts_.client_id = "team-b";
    EXPECT_FALSE(repository().concerns());
    EXPECT_THAT(secrets(), IsEmpty());
    EXPECT_EQ(reads_, 0);
}

TEST_F(RepositoryOfJobTest, IsNotForAJobWithoutASubmitter) {
    facts_.client_id.reset();
    EXPECT_FALSE(repository().concerns());
}

TEST_F(RepositoryOfJobTest, IsNotForAnotherQueue) {
    facts_.queue = "open";
    EXPECT_FALSE(repository().concerns());
}

TEST_F(RepositoryOfJobTest, GivesNothingToAJobWithAttachments) {
    facts_.has_attachments = true;
    file_ = std::optional("version: 1\nenvironments: {variables: {A: a}, secrets: {B: " + sealed("x") + "}}\n");
    EXPECT_THAT(secrets(), IsEmpty());
    EXPECT_THAT(variables(), IsEmpty());
    EXPECT_THAT(notes(), HasSubstr("the job has attachments, which anybody can have uploaded"));
    EXPECT_THAT(audit_, ElementsAre(HasSubstr("* refused the job has attachments")));
    EXPECT_EQ(reads_, 0);
}

TEST_F(RepositoryOfJobTest, GivesToAJobWithAttachmentsWhereTheLabWantsThat) {
    facts_.has_attachments = true;
    config_.repositories[0].any_attachments = true;
    file_ = std::optional("version: 1\nenvironments: {secrets: {B: " + sealed("x") + "}}\n");
    EXPECT_THAT(secrets(), ElementsAre(Pair("B", "x")));
}

TEST_F(RepositoryOfJobTest, LeavesEmptyWhatWasEncryptedForAForkOrAnotherUser) {
    file_ = std::optional(
        "version: 1\nenvironments:\n  secrets:\n    A: " + sealed("x", {"https://git.example.org/fork/app", "team-a"}) +
        "\n    B: " + sealed("x", {url_, "team-b"}) + "\n    C: \"team-b," + sealed("x", {url_, "team-b"}) +
        "\"\n    D: plain-text-secret\n");
    sealed("own");
    EXPECT_THAT(secrets(), ElementsAre(Pair("A", ""), Pair("B", ""), Pair("C", ""), Pair("D", "")));
    EXPECT_THAT(notes(),
                AllOf(HasSubstr("the repository's secret A gives no value: it cannot be decrypted: was it encrypted"),
                      Not(HasSubstr("plain-text-secret"))));
    EXPECT_THAT(masked_, IsEmpty());
}

TEST_F(RepositoryOfJobTest, PatchesTheEnvironmentOfTheAgentAndItsQueues) {
    file_ = std::optional<std::string>(
        "version: 1\nenvironment:\n  rpi4-.: {variables: {A: a}}\n  vip: {variables: {B: b}}\n"
        "  other: {variables: {C: c}}\n/smoke: {environments: {variables: {D: d}}}\n");
    facts_.name = "/smoke";
    EXPECT_THAT(variables(), ElementsAre(Pair("A", "a"), Pair("B", "b"))) << "a job chooses its name";
}

TEST_F(RepositoryOfJobTest, PatchesThePlanThatTheJobNamesWhereTheLabWantsThat) {
    file_ = std::optional<std::string>("version: 1\n/smoke: {environments: {variables: {D: d}}}\n");
    facts_.name = "/smoke";
    config_.repositories[0].plans_by_job_name = true;
    EXPECT_THAT(variables(), ElementsAre(Pair("D", "d")));
}

TEST_F(RepositoryOfJobTest, RefusesVariablesThatChangeHowProgramsRun) {
    file_ =
        std::optional("version: 1\nenvironments: {variables: {PATH: x, A: a}, secrets: {PATH: " + sealed("x") + "}}\n");
    EXPECT_THAT(variables(), ElementsAre(Pair("A", "a")));
    EXPECT_THAT(secrets(), IsEmpty());
    EXPECT_THAT(notes(), HasSubstr("PATH is left out"));
}

TEST_F(RepositoryOfJobTest, SaysThatItIsOutOfReachOrHasNoFile) {
    file_ = fail("git cannot fetch it");
    EXPECT_THAT(notes(), HasSubstr("are missing: it is out of reach"));
    EXPECT_THAT(audit_, ElementsAre("* unreachable git cannot fetch it"));
}

TEST_F(RepositoryOfJobTest, TriesAgainForTheNextPhaseIfItWasOutOfReach) {
    file_ = fail("git cannot fetch it");
    EXPECT_FALSE(repository().values("provision", *this).is_known);
    file_ = std::optional<std::string>("version: 1\nenvironments: {variables: {A: a}}\n");
    EXPECT_THAT(variables(), ElementsAre(Pair("A", "a")));
    EXPECT_EQ(notes(), "");
    EXPECT_TRUE(repository().values("test", *this).is_known);
    EXPECT_EQ(reads_, 2);
}

TEST_F(RepositoryOfJobTest, ReplacesNoValueByAnEmptyOne) {
    file_ = std::optional(
        "version: 1\nenvironments:\n  variables: {A: a}\n  secrets: {A: plain-text, B: plain-text}\n"
        "  tmt: {environment: {B: " +
        sealed("kept") + "}}\n");
    EXPECT_THAT(secrets(), ElementsAre(Pair("B", "kept")));
    EXPECT_THAT(variables(), ElementsAre(Pair("A", "a")));
}

TEST_F(RepositoryOfJobTest, SaysWhatIsWrongWithTheFile) {
    file_ = std::optional<std::string>("version: 2\n");
    EXPECT_THAT(notes(), HasSubstr(".testing-farm.yaml:1:10: found another version"));
}

TEST_F(RepositoryOfJobTest, SaysThatTestAndSettingsDoNotApply) {
    file_ = std::optional<std::string>("version: 1\ntest: {}\n");
    EXPECT_THAT(notes(), HasSubstr("do not apply"));
}

TEST_F(RepositoryOfJobTest, GivesNothingWithoutKeys) {
    file_ = std::optional("version: 1\nenvironments: {secrets: {A: " + sealed("x") + "}}\n");
    std::filesystem::permissions(folder_ / "keys", std::filesystem::perms::all);
    EXPECT_THAT(secrets(), ElementsAre(Pair("A", "")));
}

}  // namespace
}  // namespace trebuchet
