#include "tests/common/vault/vault_fixture.hpp"

namespace trebuchet {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using Kind = VaultError::Kind;

class VaultClientTest : public VaultTest {
  protected:
    VaultClientTest() { vault_.put("secret/team/db", {{"password", "second"}}); }
    VaultResult<SecretJson> read() { return get("secret/data/team/db"); }
    void with_retries(int count) {
        options_ = options();
        options_->max_retries = count;
    }
};

TEST_F(VaultClientTest, SendsTheTokenAndSaysThatItIsAClientOfVault) {
    options_ = options();
    options_->name_space = "lab/team";
    ASSERT_TRUE(read());
    const auto request = vault_.raw_requests().at(0);
    EXPECT_EQ(request.header("X-Vault-Token"), token_.reveal());
    EXPECT_EQ(request.header("X-Vault-Request"), "true");
    EXPECT_EQ(request.header("X-Vault-Namespace"), "lab/team");
}

TEST_F(VaultClientTest, KeepsOneConnection) {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(read());
    EXPECT_EQ(vault_.connections(), 1U);
}

TEST_F(VaultClientTest, TellsWhatIsMissingFromWhatIsDeniedAndWhatIsOutOfReach) {
    EXPECT_EQ(get("secret/data/team/nothing").error().kind, Kind::missing);
    EXPECT_EQ(get("secret/data/other/db").error().kind, Kind::denied);
    EXPECT_EQ(get("nomount/x").error().kind, Kind::denied);
    vault_.seal();
    const auto sealed = read();
    ASSERT_FALSE(sealed);
    EXPECT_EQ(sealed.error().kind, Kind::unreachable);
    EXPECT_THAT(sealed.error().text, AllOf(HasSubstr("503"), HasSubstr("sealed")));
}

TEST_F(VaultClientTest, NamesTheLikelyCausesOfARefusal) {
    EXPECT_THAT(get("secret/data/other/db").error().text,
                AllOf(HasSubstr("GET /v1/secret/data/other/db"), HasSubstr("policy"), HasSubstr("namespace"),
                      HasSubstr("permission denied")));
}

TEST_F(VaultClientTest, TriesAgainWhatMayPass) {
    with_retries(2);
    for (const int status : {412, 429, 500, 502, 503}) {
        vault_.fail_next(1, status);
        EXPECT_TRUE(read()) << status;
    }
    EXPECT_THAT(vault_.requests(), SizeIs(10));
}

TEST_F(VaultClientTest, TriesAgainAfterALostConnection) {
    with_retries(1);
    vault_.drop_next(1);
    EXPECT_TRUE(read());
}

TEST_F(VaultClientTest, GivesUpAfterItsRetries) {
    with_retries(1);
    vault_.fail_next(5, 429);
    EXPECT_EQ(read().error().status, 429);
    EXPECT_THAT(vault_.requests(), SizeIs(2));
}

TEST_F(VaultClientTest, TriesNothingAgainThatDoesNotPass) {
    with_retries(2);
    for (const int status : {400, 403, 404, 405, 501}) {
        vault_.fail_next(1, status);
        EXPECT_EQ(read().error().status, status);
    }
    EXPECT_THAT(vault_.requests(), SizeIs(5));
}

TEST_F(VaultClientTest, TrustsOnlyTheCa) {
    with_retries(2);
    const TestAuthority stranger(folder_.path(), "stranger");
    options_->server.ca_file = stranger.certificate();
    const auto answer = read();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::unreachable);
    EXPECT_THAT(answer.error().text, HasSubstr("not trusted"));
    EXPECT_EQ(vault_.connections(), 1U) << "a certificate does not get better";
}

TEST_F(VaultClientTest, FollowsOneRedirectOfAStandby) {
    FakeVault active{ServerIdentity{files_.certificate, files_.key, {}}};
    active.put("secret/team/db", {{"password", "active"}});
    token_ = SecretString(active.make_token(std::chrono::hours(1)));
    vault_.redirect_to(active.origin());
    EXPECT_TRUE(read());
    EXPECT_THAT(active.requests(), ElementsAre("GET /v1/secret/data/team/db"));
    active.redirect_to(vault_.origin());
    EXPECT_EQ(read().error().kind, Kind::unreachable);
    EXPECT_THAT(active.requests(), SizeIs(2));
    EXPECT_THAT(vault_.requests(), SizeIs(2));
}

TEST_F(VaultClientTest, TakesItsTokenToNoPlaceWithoutTls) {
    FakeVault plain;
    vault_.redirect_to(plain.origin());
    EXPECT_THAT(read().error().text, HasSubstr("another place than one of https"));
    EXPECT_EQ(plain.connections(), 0U);
}

TEST_F(VaultClientTest, GivesUpWaiting) {
    options_ = options();
    options_->timeout = std::chrono::milliseconds(50);
    vault_.hold();
    const auto answer = read();
    vault_.release();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::unreachable);
}

TEST_F(VaultClientTest, ReadsTheHealthOfASealedServer) {
    vault_.seal();
    const auto health = wait_for<VaultResult<SecretJson>>([&](auto done) { client().ask_health(std::move(done)); });
    ASSERT_TRUE(health);
    EXPECT_TRUE(health->at("sealed").get<bool>());
}

}  // namespace
}  // namespace trebuchet
