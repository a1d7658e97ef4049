#include "agent/job/job_facts.hpp"
#include "agent/job/job_runner.hpp"
#include "tests/fakes/fake_reporter.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

/// Has one document, and does what the test says while it is read.
class ScriptedDocuments final : public DocumentSource {
  public:
    SecretFields fields;
    std::function<void()> on_read = [] {};
    int reads = 0;
    int interruptions = 0;
    int ends = 0;
    int hurried = 0;

    SecretResult<const SecretFields*> read(const std::string& /*path*/) override {
        ++reads;
        on_read();
        return &fields;
    }
    void interrupt() override { ++interruptions; }
    bool end_logins(const std::vector<std::string>& /*accessors*/) override { return false; }
    void end() override { ++ends; }
    void stop_now() override { ++hurried; }
};

/// A job of the queue "vip" that a grant gives TOKEN (in a variable) and KEY (in a file).
class GrantedPhase : public testing::Test {
  protected:
    GrantedPhase() {
        config_.agent_id = "rpi4";
        config_.execution_basedir = folder_ / "run";
        config_.trebuchet.kill_grace = std::chrono::milliseconds(50);
        config_.phase_commands["test"] = R"(echo "TOKEN=[$TOKEN]"; echo "key:"; cat "$KEY")";
        document_["test_data"] = {{"test_cmds", "x"}};
        document_["tags"] = {"secret:suite", "smoke"};
        SecretGrant grant;
        grant.name = "suite";
        grant.allow.queues = {"vip"};
        grant.env["TOKEN"] = *parse_secret_reference("vault:secret/a#token");
        grant.files["KEY"] = *parse_secret_reference("vault:secret/a#key");
        config_.trebuchet.secrets.grants.push_back(grant);
        documents_.fields["token"] = SecretString("t0ken-of-the-lab");
        documents_.fields["key"] = SecretString("first-line-of-key\nsecond-line-of-key\n");
    }
    SecretGrant& grant() { return config_.trebuchet.secrets.grants[0]; }

    JobOutcome run() {
        auto job = parse_job(document_.dump());
        EXPECT_TRUE(job) << job.error().message();
        job_ = std::move(*job);
        const auto masks = *MaskSet::build(job_.secrets(), config_.trebuchet.mask);
        GrantedSecrets granted({.config = config_.trebuchet.secrets,
                                .facts = facts_of(job_, QueueRestriction::yes),
                                .local = LocalSources(config_.trebuchet.secrets, {}),
                                .documents = documents_,
                                .ask_restriction = [] { return QueueRestriction::yes; },
                                .server_value = [this](const std::string& name) { return server_value(job_, name); },
                                .is_dangerous = [](std::string_view name) { return is_dangerous_name(name); }});
        JobRunner runner({.loop = loop_,
                          .config = config_,
                          .job = job_,
                          .masks = masks,
                          .secret_base = folder_ / "secret",
                          .log = reporter_,
                          .listeners = {&reporter_},
                          .control = reporter_,
                          .granted = &granted,
                          .on_mask_added = [this](std::string_view value) { added_.emplace_back(value); }});
        runner_ = &runner;
        return runner.run();
    }
    [[nodiscard]] std::string output(Phase phase) const {
        const auto found = reporter_.outputs.find(phase);
        return found == reporter_.outputs.end() ? "" : found->second;
    }

    EventLoop loop_;
    TemporaryFolder folder_;
    Config config_;
    json document_{{"job_id", "j1"}, {"job_queue", "vip"}};
    Job job_;
    ScriptedDocuments documents_;
    FakeReporter reporter_;
    JobRunner* runner_ = nullptr;
    std::vector<std::string> added_;
};

TEST_F(GrantedPhase, HasItsSecretsInVariablesAndFilesAndMaskedInItsLog) {
    const auto outcome = run();
    EXPECT_EQ(outcome.status.at(Phase::test), 0);
    EXPECT_THAT(output(Phase::test), HasSubstr("TOKEN=[**"));
    EXPECT_THAT(output(Phase::test), AllOf(Not(HasSubstr("t0ken-of")), Not(HasSubstr("line-of-key"))));
    EXPECT_THAT(reporter_.calls, AllOf(Contains("secret: TOKEN given"), Contains("secret: KEY given")));
    EXPECT_THAT(added_, Contains("t0ken-of-the-lab")) << "the next start would have to mask it, too";
    EXPECT_EQ(documents_.ends, 1);
    EXPECT_FALSE(fs::exists(folder_ / "secret/j1"));
}

TEST_F(GrantedPhase, GetsWhatTheLabKeeps) {
    config_.phase_commands["test"] = R"(echo "$TOKEN" > ../token; cp "$KEY" ../key; stat -c %a "$KEY" > ../mode
        cp testflinger.json ../job)";
    run();
    EXPECT_EQ(text_of(folder_ / "run/token"), "t0ken-of-the-lab\n");
    EXPECT_EQ(text_of(folder_ / "run/key"), "first-line-of-key\nsecond-line-of-key\n");
    EXPECT_EQ(text_of(folder_ / "run/mode"), "400\n");
    const auto secrets = json::parse(text_of(folder_ / "run/job"))["test_data"]["secrets"];
    EXPECT_EQ(secrets["TOKEN"], "t0ken-of-the-lab") << "connectors take the environment from there";
}

TEST_F(GrantedPhase, HasTheTagsOfTheJob) {
    config_.phase_commands["test"] = R"(echo "$TREBUCHET_TAGS" | grep -x smoke)";
    EXPECT_EQ(run().status.at(Phase::test), 0);
    EXPECT_THAT(output(Phase::test), HasSubstr("\nsmoke\n"));
}

TEST_F(GrantedPhase, IsTheOnlyOneWithTheSecrets) {
    config_.phase_commands["setup"] = R"(echo "TOKEN=[${TOKEN-unset}]")";
    config_.phase_commands["cleanup"] = R"(echo "TOKEN=[${TOKEN-unset}]"; ls ../../secret)";
    run();
    EXPECT_THAT(output(Phase::setup), HasSubstr("[unset]"));
    EXPECT_THAT(output(Phase::cleanup), HasSubstr("[unset]"));
}

TEST_F(GrantedPhase, ReadsNothingIfItIsSkipped) {
    document_["test_data"]["skip"] = true;
    run();
    EXPECT_EQ(documents_.reads, 0);
    EXPECT_EQ(documents_.ends, 1);
}

TEST_F(GrantedPhase, RunsWithoutWhatIsRefusedAndSaysWhy) {
    document_["attachments_status"] = "complete";
    document_["test_data"]["secrets"] = {{"TOKEN", ""}};
    const auto outcome = run();
    EXPECT_EQ(documents_.reads, 0);
    EXPECT_THAT(output(Phase::test), AllOf(HasSubstr("TOKEN=[]"), HasSubstr("attachments"), HasSubstr("grant suite")));
    EXPECT_THAT(output(Phase::test), Not(HasSubstr("arrived empty"))) << "one reason is enough";
}

TEST_F(GrantedPhase, KeepsWhatTheServerGaveIfTheLabRefuses) {
    document_["attachments_status"] = "complete";
    document_["test_data"]["secrets"] = {{"TOKEN", "from-the-server"}};
    config_.phase_commands["test"] = R"([ "$TOKEN" = from-the-server ])";
    EXPECT_EQ(run().status.at(Phase::test), 0);
}

TEST_F(GrantedPhase, DoesNotComeIfTheGrantRefusesTheJob) {
    grant().otherwise = Otherwise::refuse;
    document_["attachments_status"] = "complete";
    config_.phase_commands["cleanup"] = "echo cleaning";
    const auto outcome = run();
    EXPECT_EQ(outcome.status.at(Phase::setup), 100);
    EXPECT_FALSE(outcome.status.contains(Phase::test));
    EXPECT_THAT(output(Phase::setup),
                HasSubstr("may not have the secrets of the grant suite: the job has attachments"));
    EXPECT_THAT(output(Phase::cleanup), HasSubstr("cleaning"));
}

TEST_F(GrantedPhase, FailsWithoutASecretIfTheGrantSaysSo) {
    grant().on_missing = OnMissing::fail;
    documents_.fields.erase("key");
    const auto outcome = run();
    EXPECT_EQ(outcome.status.at(Phase::test), 100);
    EXPECT_THAT(output(Phase::test), AllOf(HasSubstr("ERROR: the phase cannot run"), Not(HasSubstr("TOKEN="))));
}

TEST_F(GrantedPhase, IsEndedByAStopWhileItsSecretsAreRead) {
    documents_.on_read = [&] {
        bool stopped = false;
        loop_.post([&] {
            runner_->stop();
            stopped = true;
        });
        loop_.run_until([&] { return stopped; });
    };
    config_.phase_commands["cleanup"] = "echo cleaning";
    const auto outcome = run();
    EXPECT_GE(documents_.interruptions, 1);
    EXPECT_EQ(outcome.status.at(Phase::test), 247);
    EXPECT_THAT(output(Phase::test), AllOf(HasSubstr("The agent is stopping"), Not(HasSubstr("TOKEN="))));
    EXPECT_THAT(output(Phase::cleanup), HasSubstr("cleaning"));
    EXPECT_EQ(documents_.ends, 1);
}

TEST_F(GrantedPhase, IsEndedByACancellationWhileItsSecretsAreRead) {
    documents_.on_read = [&] {
        ASSERT_TRUE(reporter_.cancel_handler);
        reporter_.cancel_handler();
    };
    const auto outcome = run();
    EXPECT_TRUE(outcome.cancelled);
    EXPECT_EQ(outcome.status.at(Phase::test), 247);
    EXPECT_THAT(output(Phase::test), HasSubstr("cancellation was requested"));
    EXPECT_EQ(documents_.reads, 1) << "nothing more is read";
    EXPECT_EQ(documents_.ends, 1);
}

TEST_F(GrantedPhase, GivesItsSecretsBackIfTheRunFolderCanNotBeMade) {
    folder_.write("run", "a file");
    run();
    EXPECT_EQ(documents_.ends, 1);
}

}  // namespace
}  // namespace trebuchet
