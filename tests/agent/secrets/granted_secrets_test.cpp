#include "agent/secrets/granted_secrets.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

/// Has the documents of the test.
class FakeDocuments final : public DocumentSource {
  public:
    std::map<std::string, SecretFields> documents;
    std::map<std::string, SecretProblem> problems;
    std::vector<std::string> read_paths;
    std::function<void()> on_read = [] {};
    int interrupted = 0;
    int ended = 0;

    void set(const std::string& path, const std::string& field, std::string_view value) {
        documents[path][field] = SecretString(value);
    }
    SecretResult<const SecretFields*> read(const std::string& path) override {
        read_paths.push_back(path);
        on_read();
        if (const auto problem = problems.find(path); problem != problems.end()) {
            return tl::unexpected(problem->second);
        }
        const auto found = documents.find(path);
        if (found != documents.end()) return &found->second;
        return tl::unexpected(SecretProblem{SecretProblem::Kind::missing, "no document " + path});
    }
    void interrupt() override { ++interrupted; }
    bool end_logins(const std::vector<std::string>& /*accessors*/) override { return false; }
    void end() override { ++ended; }
    void stop_now() override {}
};

class GrantedSecretsTest : public testing::Test, public SecretSink {
  protected:
    GrantedSecretsTest() {
        facts_.queue = "vip";
        facts_.queue_restriction = QueueRestriction::yes;
    }

    SecretGrant& grant(const std::string& name, const std::map<std::string, std::string>& env) {
        SecretGrant grant;
        grant.name = name;
        grant.allow.queues = {"vip"};
        for (const auto& [variable, reference] : env) grant.env[variable] = *parse_secret_reference(reference);
        config_.grants.push_back(std::move(grant));
        return config_.grants.back();
    }
    void ask(const std::string& name) { facts_.asked_names.insert(name); }

    void secret_value(const std::string& name, std::string_view value) override {
        masked_.push_back(name + "=" + std::string(value));
    }
    void secret_access(const SecretAccess& access) override {
        audit_.push_back(access.grant + " " + access.reference + " " + access.name + " " + access.phase + " " +
                         std::string(name_of(access.outcome)));
        reasons_ += access.why + "\n";
    }

    GrantedSecrets& granted() {
        if (!granted_) {
            for (const auto& entry : environment_) pointers_.push_back(entry.c_str());
            pointers_.push_back(nullptr);
            granted_.emplace(GrantedSecrets::Parts{
                .config = config_,
                .facts = facts_,
                .local = LocalSources(config_, {pointers_.data(), "", ""}),
                .documents = documents_,
                .ask_restriction =
                    [this] {
                        ++questions_;
                        return restriction_now_;
                    },
                .server_value = [this](const std::string& name) { return name == "SERVED" ? &served_ : nullptr; },
                .is_dangerous = [](std::string_view name) { return name == "PATH"; },
            });
        }
        return *granted_;
    }
    PhaseSecrets of(const std::string& phase) { return granted().for_phase(phase, *this); }
    std::string refusal() { return granted().refusal(*this); }
    std::map<std::string, std::string> env_of(const std::string& phase) { return plain(of(phase).env); }
    static std::map<std::string, std::string> plain(const std::map<std::string, SecretString>& values) {
        std::map<std::string, std::string> texts;
        for (const auto& [name, value] : values) texts[name] = std::string(value.reveal());
        return texts;
    }

    SecretsConfig config_;
    JobFacts facts_;
    FakeDocuments documents_;
    std::vector<std::string> environment_{"SECRET_A=QQ==", "SECRET_B=Qg=="};
    SecretString served_{"served value"};
    QueueRestriction restriction_now_ = QueueRestriction::yes;
    int questions_ = 0;
    std::vector<std::string> masked_;
    std::vector<std::string> audit_;
    std::string reasons_;

  private:
    std::vector<const char*> pointers_;
    std::optional<GrantedSecrets> granted_;
};

TEST_F(GrantedSecretsTest, GiveWhatIsAskedForAndNothingElse) {
    grant("g", {{"A", "env:A"}, {"B", "env:B"}});
    ask("A");
    EXPECT_THAT(env_of("test"), ElementsAre(Pair("A", "A")));
    EXPECT_THAT(masked_, ElementsAre("A=A"));
    EXPECT_THAT(audit_, ElementsAre("g env:A A test given"));
}

TEST_F(GrantedSecretsTest, AreNotReadForAJobThatAsksForNothing) {
    grant("g", {{"A", "vault:secret/a#b"}});
    EXPECT_FALSE(granted().concerns("test"));
    EXPECT_THAT(env_of("test"), IsEmpty());
    EXPECT_THAT(documents_.read_paths, IsEmpty());
    EXPECT_THAT(audit_, IsEmpty());
}

TEST_F(GrantedSecretsTest, ReachOnlyThePhasesOfTheGrant) {
    grant("g", {{"A", "env:A"}}).phases = {"setup"};
    ask("g");
    EXPECT_TRUE(granted().concerns("setup"));
    EXPECT_FALSE(granted().concerns("test"));
    EXPECT_THAT(env_of("test"), IsEmpty());
    EXPECT_THAT(env_of("setup"), ElementsAre(Pair("A", "A")));
}

TEST_F(GrantedSecretsTest, ArriveEmptyWithAWordInTheLogIfTheJobMayNotHaveThem) {
    grant("g", {{"A", "env:A"}}).allow.queues = {"other"};
    ask("A");
    const auto secrets = of("test");
    EXPECT_THAT(plain(secrets.env), ElementsAre(Pair("A", "")));
    EXPECT_THAT(secrets.notes, AllOf(HasSubstr("grant g are empty (A)"), HasSubstr("not one of its queues")));
    EXPECT_TRUE(secrets.ready);
    EXPECT_THAT(audit_, ElementsAre("g  A test refused"));
    EXPECT_EQ(refusal(), "");
}

TEST_F(GrantedSecretsTest, OfAnotherGrantMakeUpForARefusal) {
    grant("no", {{"A", "env:B"}}).allow.queues = {"other"};
    grant("yes", {{"A", "env:A"}});
    ask("A");
    const auto secrets = of("test");
    EXPECT_THAT(plain(secrets.env), ElementsAre(Pair("A", "A")));
    EXPECT_EQ(secrets.notes, "");
}

TEST_F(GrantedSecretsTest, RefuseAJobBeforeItsFirstPhaseIfTheGrantSaysSo) {
    auto& refusing = grant("g", {{"A", "env:A"}});
    refusing.allow.queues = {"other"};
    refusing.otherwise = Otherwise::refuse;
    EXPECT_EQ(refusal(), "") << "it does not ask";
}

TEST_F(GrantedSecretsTest, RefuseAJobThatAsksBeforeItsFirstPhase) {
    auto& refusing = grant("g", {{"A", "env:A"}});
    refusing.allow.queues = {"other"};
    refusing.otherwise = Otherwise::refuse;
    ask("A");
    EXPECT_THAT(refusal(), HasSubstr("grant g: the queue \"vip\" is not one"));
}

TEST_F(GrantedSecretsTest, AreDecidedAgainOnceBeforeTheFirstPhaseThatNeedsThem) {
    grant("g", {{"A", "env:A"}}).allow.queue_restricted = true;
    ask("A");
    EXPECT_THAT(env_of("setup"), IsEmpty());
    EXPECT_EQ(questions_, 0);
    EXPECT_THAT(env_of("provision"), ElementsAre(Pair("A", "A")));
    restriction_now_ = QueueRestriction::no;
    EXPECT_THAT(env_of("test"), ElementsAre(Pair("A", "A")));
    EXPECT_EQ(questions_, 1);
}

TEST_F(GrantedSecretsTest, AreRefusedIfTheQueueIsNoLongerRestricted) {
    restriction_now_ = QueueRestriction::no;
    grant("g", {{"A", "vault:secret/a#b"}}).allow.queue_restricted = true;
    ask("A");
    EXPECT_THAT(env_of("test"), ElementsAre(Pair("A", "")));
    EXPECT_THAT(documents_.read_paths, IsEmpty());
}

TEST_F(GrantedSecretsTest, AreRefusedIfTheServerDoesNotSayWhetherTheQueueIsRestricted) {
    restriction_now_ = QueueRestriction::unknown;
    grant("g", {{"A", "vault:secret/a#b"}}).allow.queue_restricted = true;
    ask("A");
    EXPECT_THAT(env_of("test"), ElementsAre(Pair("A", "")));
    EXPECT_THAT(documents_.read_paths, IsEmpty());
}

TEST_F(GrantedSecretsTest, AskTheServerNothingIfTheFirstCheckRefused) {
    facts_.queue_restriction = QueueRestriction::no;
    grant("g", {{"A", "env:A"}}).allow.queue_restricted = true;
    ask("A");
    EXPECT_THAT(env_of("test"), ElementsAre(Pair("A", "")));
    EXPECT_EQ(questions_, 0);
}

TEST_F(GrantedSecretsTest, EndThePhaseIfTheSecondCheckRefusesAndTheGrantSaysSo) {
    auto& refusing = grant("g", {{"A", "env:A"}});
    refusing.allow.queue_restricted = true;
    refusing.otherwise = Otherwise::refuse;
    restriction_now_ = QueueRestriction::no;
    ask("A");
    EXPECT_EQ(refusal(), "");
    EXPECT_FALSE(of("test").ready);
}

TEST_F(GrantedSecretsTest, ThatAreMissingDeniedOrOutOfReachAreThreeThings) {
    grant("g", {{"GONE", "vault:secret/gone#x"},
                {"FIELD", "vault:secret/doc#none"},
                {"DENIED", "vault:secret/denied#x"},
                {"DOWN", "vault:secret/down#x"}});
    documents_.set("secret/doc", "a", "value");
    documents_.problems["secret/denied"] = {SecretProblem::Kind::denied, "policy of secret/denied"};
    documents_.problems["secret/down"] = {SecretProblem::Kind::unreachable, "vault is sealed"};
    ask("g");
    const auto secrets = of("test");
    EXPECT_THAT(plain(secrets.env),
                ElementsAre(Pair("DENIED", ""), Pair("DOWN", ""), Pair("FIELD", ""), Pair("GONE", "")));
    EXPECT_THAT(secrets.notes, AllOf(HasSubstr("secret GONE is empty: it is missing"),
                                     HasSubstr("secret FIELD is empty: it is missing"),
                                     HasSubstr("secret DENIED is empty: the agent may not read it"),
                                     HasSubstr("secret DOWN is empty: it could not be read")));
    EXPECT_THAT(secrets.notes, AllOf(Not(HasSubstr("secret/")), Not(HasSubstr("sealed"))));
    EXPECT_THAT(reasons_, AllOf(HasSubstr("policy of secret/denied"), HasSubstr("vault is sealed")));
    EXPECT_THAT(audit_, UnorderedElementsAre("g vault:secret/gone#x GONE test missing",
                                             "g vault:secret/doc#none FIELD test missing",
                                             "g vault:secret/denied#x DENIED test denied",
                                             "g vault:secret/down#x DOWN test unreachable"));
    EXPECT_TRUE(secrets.ready);
}

TEST_F(GrantedSecretsTest, OfAVaultThatIsAwayAreNotAskedForOneByOne) {
    std::map<std::string, std::string> env;
    for (int number = 0; number < 40; ++number) {
        const auto path = "secret/down-" + std::to_string(number / 4);
        env.emplace("A" + std::to_string(number), "vault:" + path + "#x");
        documents_.problems[path] = {SecretProblem::Kind::unreachable, "no answer"};
    }
    grant("g", env);
    ask("g");
    EXPECT_EQ(of("test").env.size(), 40U);
    EXPECT_EQ(documents_.read_paths.size(), 3U);
}

TEST_F(GrantedSecretsTest, ThatAreMissingEndThePhaseIfTheGrantSaysSo) {
    grant("g", {{"A", "env:NONE"}}).on_missing = OnMissing::fail;
    ask("A");
    const auto secrets = of("test");
    ASSERT_FALSE(secrets.ready);
    EXPECT_THAT(secrets.ready.error().message(), HasSubstr("secret A"));
}

TEST_F(GrantedSecretsTest, OfADocumentAreAVariableForEachField) {
    auto& suite = grant("suite", {{"CI_USER", "env:A"}});
    suite.env_from = parse_document_reference("vault:secret/suite").value();
    suite.env_prefix = "CI_";
    documents_.set("secret/suite", "USER", "shadowed");
    documents_.set("secret/suite", "TOKEN", "t0ken");
    documents_.set("secret/suite", "not a name", "odd value");
    ask("suite");
    const auto secrets = of("test");
    EXPECT_THAT(plain(secrets.env), ElementsAre(Pair("CI_TOKEN", "t0ken"), Pair("CI_USER", "A")));
    EXPECT_THAT(secrets.notes, HasSubstr("cannot have this name"));
    EXPECT_THAT(masked_, Contains("CI_not a name=odd value"));
}

TEST_F(GrantedSecretsTest, OfADocumentCanBeAskedForOneByOne) {
    auto& suite = grant("suite", {});
    suite.env_from = parse_document_reference("vault:secret/suite").value();
    suite.env_prefix = "CI_";
    documents_.set("secret/suite", "USER", "u");
    documents_.set("secret/suite", "TOKEN", "t");
    ask("CI_TOKEN");
    ask("CI_NONE");
    EXPECT_THAT(env_of("test"), ElementsAre(Pair("CI_NONE", ""), Pair("CI_TOKEN", "t")));
}

TEST_F(GrantedSecretsTest, OfADocumentMustNotChangeHowProgramsRun) {
    auto& suite = grant("suite", {});
    suite.env_from = parse_document_reference("vault:secret/suite").value();
    documents_.set("secret/suite", "PATH", "/evil");
    ask("suite");
    EXPECT_THAT(env_of("test"), IsEmpty());
}

TEST_F(GrantedSecretsTest, AreFilesWhereTheGrantSaysSo) {
    auto& files = grant("g", {});
    files.files["KEY"] = *parse_secret_reference("vault:secret/key#pem");
    files.files["SERVED"] = *parse_secret_reference("server:SERVED");
    documents_.set("secret/key", "pem", std::string(200'000, 'x') + "\n");
    ask("g");
    const auto secrets = of("test");
    EXPECT_EQ(secrets.files.at("KEY").size(), 200'001U);
    EXPECT_EQ(secrets.files.at("SERVED").reveal(), "served value");
    EXPECT_THAT(secrets.env, IsEmpty());
}

TEST_F(GrantedSecretsTest, ThatAVariableCanNotHoldAreNamed) {
    grant("g", {{"LONG", "vault:secret/doc#long"}, {"NUL", "vault:secret/doc#nul"}});
    documents_.set("secret/doc", "long", std::string(longest_variable, 'x'));
    documents_.set("secret/doc", "nul", std::string_view("a\0b", 3));
    ask("g");
    const auto secrets = of("test");
    EXPECT_THAT(secrets.env, IsEmpty());
    EXPECT_THAT(secrets.notes, AllOf(HasSubstr("LONG is empty: it is too long"), HasSubstr("NUL byte")));
    EXPECT_EQ(masked_.size(), 2U);
}

TEST_F(GrantedSecretsTest, OfFilesLoseTheirLastNewlineInAVariableOnly) {
    const TemporaryFolder folder;
    const auto path = folder.write("key", "line\n\n");
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    auto& both_ways = grant("g", {{"A", "file:" + path.string()}});
    both_ways.files["F"] = *parse_secret_reference("file:" + path.string());
    ask("g");
    const auto secrets = of("test");
    EXPECT_EQ(secrets.env.at("A").reveal(), "line\n");
    EXPECT_EQ(secrets.files.at("F").reveal(), "line\n\n");
}

TEST_F(GrantedSecretsTest, OfThisHostAreReadOnce) {
    grant("g", {{"A", "env:A"}});
    ask("A");
    EXPECT_THAT(env_of("provision"), ElementsAre(Pair("A", "A")));
    environment_[0].replace(0, std::string::npos, "SECRET_A=Qg==");
    EXPECT_THAT(env_of("test"), ElementsAre(Pair("A", "A")));
}

TEST_F(GrantedSecretsTest, AreLeftOutAfterAnInterruptionUntilTheNextPhase) {
    grant("g", {{"A", "vault:secret/a#x"}, {"B", "vault:secret/b#x"}});
    documents_.set("secret/a", "x", "1");
    documents_.set("secret/b", "x", "2");
    documents_.on_read = [&] { granted().interrupt(); };
    ask("g");
    EXPECT_THAT(env_of("test"), ElementsAre(Pair("A", "1"), Pair("B", "")));
    EXPECT_EQ(documents_.read_paths.size(), 1U);
    documents_.on_read = [] {};
    EXPECT_THAT(env_of("provision"), ElementsAre(Pair("A", "1"), Pair("B", "2")));
}

}  // namespace
}  // namespace trebuchet
