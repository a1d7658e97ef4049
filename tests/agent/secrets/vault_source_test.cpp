#include "agent/secrets/vault_source.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_vault.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/fakes/test_authority.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = SecretProblem::Kind;

class VaultSourceTest : public testing::Test {
  protected:
    VaultSourceTest() {
        vault_.put("secret/team/db", {{"password", "s3cret"}});
        vault_.put("secret/team/other", {{"a", "b"}});
    }

    VaultSource& source() {
        if (!source_) {
            source_ = std::make_unique<VaultSource>(VaultSource::Parts{
                .loop = loop_,
                .clock = clock_,
                .make_client =
                    [this] {
                        VaultOptions options;
                        options.server.origin = vault_.origin();
                        options.server.ca_file = authority_.certificate();
                        options.max_retries = 0;
                        return std::make_unique<VaultClient>(loop_, options, [] { return 0.0; });
                    },
                .log_in =
                    [this](VaultClient& client, VaultLoginDone done) {
                        log_in_with_approle(client, "approle", FakeVault::role_id(), secret_id_, std::move(done));
                    },
                .on_credential = [this](const std::string&, std::string_view value) { masked_.emplace_back(value); },
                .on_accessor = [this](const std::string& accessor) { accessors_.push_back(accessor); },
                .draw = [] { return 0.0; },
                .job = "j1",
                .needs_namespaces = needs_namespaces_});
        }
        return *source_;
    }
    /// "field=value …", or "KIND: text".
    std::string read(const std::string& path) {
        const auto fields = source().read(path);
        if (!fields) return std::string(name_of(fields.error().kind)) + ": " + fields.error().text;
        std::string text;
        for (const auto& [name, value] : **fields) text += name + "=" + std::string(value.reveal()) + " ";
        return text;
    }

    EventLoop loop_;
    FakeClock clock_;
    TemporaryFolder folder_;
    TestAuthority authority_{folder_.path(), "authority"};
    TestCertificate files_ = authority_.issue("vault", "IP:127.0.0.1");
    FakeVault vault_{ServerIdentity{files_.certificate, files_.key, {}}};
    std::string secret_id_ = vault_.make_secret_id();
    bool needs_namespaces_ = false;
    std::vector<std::string> masked_;
    std::vector<std::string> accessors_;
    std::unique_ptr<VaultSource> source_;
};

TEST_F(VaultSourceTest, ConnectsToNothingBeforeTheFirstRead) {
    source().end();
    EXPECT_EQ(vault_.connections(), 0U);
}

TEST_F(VaultSourceTest, LogsInOnceAndReadsEachDocumentOnce) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(read("secret/team/db"), "password=s3cret ");
        EXPECT_EQ(read("secret/team/other"), "a=b ");
    }
    EXPECT_EQ(vault_.count("POST /v1/auth/approle/login"), 1U);
    EXPECT_EQ(vault_.count("GET /v1/secret/data/"), 2U);
    EXPECT_EQ(vault_.connections(), 1U);
}

TEST_F(VaultSourceTest, TellsTheAccessorAndMasksTheTokenBeforeItReads) {
    EXPECT_EQ(read("secret/team/db"), "password=s3cret ");
    EXPECT_EQ(accessors_.size(), 1U);
    ASSERT_EQ(masked_.size(), 1U);
    EXPECT_TRUE(vault_.all_tokens().contains(masked_[0]));
}

TEST_F(VaultSourceTest, RevokesItsLoginOnceAtTheEnd) {
    static_cast<void>(read("secret/team/db"));
    EXPECT_EQ(vault_.living_tokens(), 1U);
    source().end();
    source().end();
    EXPECT_EQ(vault_.living_tokens(), 0U);
    EXPECT_EQ(vault_.revocations(), 1U);
    EXPECT_THAT(read("secret/team/other"), HasSubstr("unreachable"));
    EXPECT_EQ(vault_.count("POST /v1/auth/approle/login"), 1U);
}

TEST_F(VaultSourceTest, TriesToRevokeAgain) {
    static_cast<void>(read("secret/team/db"));
    vault_.fail_next(1, 503);
    source().end();
    EXPECT_EQ(vault_.living_tokens(), 0U);
    EXPECT_EQ(vault_.count("POST /v1/auth/token/revoke-self"), 2U);
}

TEST_F(VaultSourceTest, GivesUpRevokingFastOnceTheAgentStopsNow) {
    static_cast<void>(read("secret/team/db"));
    vault_.hold();
    loop_.post([this] { source().stop_now(); });
    const auto begin = std::chrono::steady_clock::now();
    source().end();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
    vault_.release();
}

TEST_F(VaultSourceTest, RevokesALoginWhoseAnswerCameAfterTheInterruption) {
    vault_.hold();
    loop_.post([this] { source().interrupt(); });
    EXPECT_THAT(read("secret/team/db"), HasSubstr("ended before Vault answered"));
    vault_.release();
    source().end();
    EXPECT_EQ(vault_.revocations(), 1U);
    EXPECT_EQ(vault_.living_tokens(), 0U);
}

TEST_F(VaultSourceTest, DoesNotRepeatARefusedLogin) {
    secret_id_ = "wrong";
    EXPECT_THAT(read("secret/team/db"), HasSubstr("unreachable: cannot log in to Vault: "));
    EXPECT_THAT(read("secret/team/other"), HasSubstr("cannot log in"));
    EXPECT_EQ(vault_.count("POST /v1/auth/approle/login"), 1U);
    source().end();
    EXPECT_EQ(vault_.revocations(), 0U);
}

TEST_F(VaultSourceTest, LogsInForALaterPhaseIfVaultWasSealedBefore) {
    vault_.seal();
    EXPECT_THAT(read("secret/team/db"), HasSubstr("sealed"));
    vault_.seal(false);
    EXPECT_EQ(read("secret/team/db"), "password=s3cret ");
}

TEST_F(VaultSourceTest, TellsWhatIsMissingFromWhatIsDeniedAndWhatIsOutOfReach) {
    EXPECT_THAT(read("secret/team/none"), HasSubstr("missing: "));
    EXPECT_THAT(read("secret/other/db"), HasSubstr("denied: "));
    vault_.fail_next(1, 500);
    EXPECT_THAT(read("secret/team/db"), HasSubstr("unreachable: "));
    EXPECT_EQ(read("secret/team/db"), "password=s3cret ") << "what was out of reach is read again";
}

TEST_F(VaultSourceTest, RenewsItsLoginWhileTheJobRuns) {
    vault_.set_ttl(seconds(1));
    static_cast<void>(read("secret/team/db"));
    ASSERT_TRUE(loop_.wait_for(seconds(60), [&] { return vault_.count("POST /v1/auth/token/renew-self") >= 2; }));
    EXPECT_EQ(vault_.living_tokens(), 1U);
    source().end();
    EXPECT_EQ(vault_.requests().back(), "POST /v1/auth/token/revoke-self");
}

TEST_F(VaultSourceTest, KeepsNoCredentialLongerThanItsLease) {
    EXPECT_THAT(read("rabbit/creds/ci"), HasSubstr("password="));
    clock_.advance(seconds(59));
    EXPECT_THAT(read("rabbit/creds/ci"), HasSubstr("password="));
    clock_.advance(seconds(2));
    EXPECT_THAT(read("rabbit/creds/ci"), HasSubstr("missing: the credential"));
    EXPECT_EQ(vault_.count("GET /v1/rabbit/creds/ci"), 1U);
}

TEST_F(VaultSourceTest, KeepsNoCredentialLongerThanATokenThatIsNotRenewed) {
    vault_.set_ttl(seconds(3));
    vault_.give_batch_tokens();
    EXPECT_THAT(read("rabbit/creds/ci"), HasSubstr("password="));
    clock_.advance(seconds(4));
    EXPECT_THAT(read("rabbit/creds/ci"), HasSubstr("missing: the credential"));
    source().end();
    EXPECT_EQ(vault_.count("POST /v1/auth/token/revoke-self"), 0U) << "a batch token cannot be revoked";
}

TEST_F(VaultSourceTest, RefusesANamespaceWhereTheServerHasNone) {
    needs_namespaces_ = true;
    EXPECT_THAT(read("secret/team/db"), HasSubstr("this server has no namespaces"));
    EXPECT_EQ(vault_.count("POST "), 0U);
}

TEST_F(VaultSourceTest, TakesANamespaceWhereTheServerMayHaveSome) {
    needs_namespaces_ = true;
    vault_.set_enterprise(std::nullopt);
    EXPECT_EQ(read("secret/team/db"), "password=s3cret ");
}

TEST_F(VaultSourceTest, EndsLoginsOfAnEarlierAgent) {
    static_cast<void>(read("secret/team/db"));
    const auto left = accessors_.at(0);
    source_.reset();  // killed
    EXPECT_EQ(vault_.living_tokens(), 1U);
    EXPECT_TRUE(source().end_logins({left}));
    source().end();
    EXPECT_EQ(vault_.living_tokens(), 0U);
}

TEST_F(VaultSourceTest, EndsTheOtherLoginsOfAnEarlierAgentIfOneHasEndedAlready) {
    static_cast<void>(read("secret/team/db"));
    const auto left = accessors_.at(0);
    source_.reset();
    EXPECT_TRUE(source().end_logins({"an-accessor-that-is-gone", left}));
    source().end();
    EXPECT_EQ(vault_.living_tokens(), 0U);
}

TEST_F(VaultSourceTest, SaysThatItMayNotEndLoginsOfAnEarlierAgent) {
    static_cast<void>(read("secret/team/db"));
    const auto left = accessors_.at(0);
    source_.reset();
    vault_.allow_revoke_accessor(false);
    EXPECT_FALSE(source().end_logins({left}));
    source().end();
    EXPECT_EQ(vault_.living_tokens(), 1U);
    EXPECT_EQ(vault_.revocations(), 1U) << "its own";
}

}  // namespace
}  // namespace trebuchet
