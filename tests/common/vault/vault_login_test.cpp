#include "common/vault/vault_login.hpp"

#include "common/vault/es256.hpp"
#include "tests/common/vault/vault_fixture.hpp"

#include <chrono>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using Json = nlohmann::json;
using Kind = VaultError::Kind;

std::int64_t unix_time() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

class VaultLoginTest : public VaultTest {
  protected:
    VaultResult<VaultToken> approle(const std::string& secret_id, const std::string& role = FakeVault::role_id()) {
        return wait_for<VaultResult<VaultToken>>(
            [&](auto done) { log_in_with_approle(client(), "approle", role, secret_id, std::move(done)); });
    }
    VaultResult<VaultToken> jwt(const Json& claims, const std::string& role = "lab") {
        const auto token = make_es256_token(key_.private_pem.reveal(), claims.dump());
        return wait_for<VaultResult<VaultToken>>(
            [&](auto done) { log_in_with_jwt(client(), "jwt", role, *token, std::move(done)); });
    }
    static Json claims() {
        return {{"aud", "vault.lab.test"},
                {"iat", unix_time()},
                {"nbf", unix_time()},
                {"exp", unix_time() + 300},
                {"queue", "rpi4"}};
    }
    VaultResult<SecretString> unwrap(const std::string& token) {
        return wait_for<VaultResult<SecretString>>(
            [&](auto done) { unwrap_secret_id(client(), "approle", SecretString(token), std::move(done)); });
    }
    VaultResult<SecretJson> end(const SecretString& token) {
        return wait_for<VaultResult<SecretJson>>(
            [&](auto done) { revoke(client(), token, std::chrono::seconds(5), std::move(done)); });
    }

    Es256KeyPair key_ = make_es256_key().value();
};

TEST_F(VaultLoginTest, WithAnAppRoleGivesATokenThatCanBeEnded) {
    const auto token = approle(vault_.make_secret_id());
    ASSERT_TRUE(token) << token.error().text;
    EXPECT_EQ(token->lifetime, std::chrono::seconds(1200));
    EXPECT_TRUE(token->is_renewable);
    EXPECT_TRUE(token->is_revocable);
    EXPECT_THAT(token->accessor, HasSubstr("accessor"));
    EXPECT_EQ(vault_.living_tokens(), 1U);
    EXPECT_TRUE(end(token->value));
    EXPECT_EQ(vault_.living_tokens(), 0U);
    EXPECT_EQ(end(token->value).error().kind, Kind::denied);
}

TEST_F(VaultLoginTest, WithAWrongAppRoleIsRefused) {
    EXPECT_EQ(approle("wrong").error().kind, Kind::refused);
    EXPECT_EQ(approle("").error().kind, Kind::refused);
    EXPECT_EQ(approle(vault_.make_secret_id(), "wrong").error().kind, Kind::refused);
}

TEST_F(VaultLoginTest, WithAnIdentityIsCheckedByVault) {
    vault_.trust(key_.public_pem, "vault.lab.test", {{"queue", "rpi4"}});
    ASSERT_TRUE(jwt(claims()));
    const auto refused_with = [&](const char* name, const Json& value) {
        auto changed = claims();
        changed[name] = value;
        const auto token = jwt(changed);
        return token ? std::string("accepted") : token.error().text;
    };
    EXPECT_THAT(refused_with("aud", "elsewhere"), HasSubstr("audience"));
    EXPECT_THAT(refused_with("exp", unix_time() - 1), HasSubstr("expired"));
    EXPECT_THAT(refused_with("nbf", unix_time() + 3600), HasSubstr("not yet valid"));
    EXPECT_THAT(refused_with("queue", "public"), HasSubstr("does not match any associated bound claim"));
    EXPECT_THAT(jwt(claims(), "nosuch").error().text, HasSubstr("could not be found"));
    key_ = make_es256_key().value();
    EXPECT_THAT(jwt(claims()).error().text, HasSubstr("signature"));
}

TEST_F(VaultLoginTest, WithATokenMakesOneForTheJob) {
    const auto child = wait_for<VaultResult<VaultToken>>(
        [&](auto done) { make_child_token(client(), token_, std::chrono::seconds(600), std::move(done)); });
    ASSERT_TRUE(child) << child.error().text;
    EXPECT_NE(child->value.reveal(), token_.reveal());
    EXPECT_EQ(child->lifetime, std::chrono::seconds(600));
    EXPECT_TRUE(end(child->value));
    EXPECT_TRUE(get("auth/token/lookup-self")) << "the token that stands is not ended";
}

TEST_F(VaultLoginTest, KnowsATokenThatCanNotBeEnded) {
    vault_.give_batch_tokens();
    const auto token = approle(vault_.make_secret_id());
    ASSERT_TRUE(token);
    EXPECT_FALSE(token->is_revocable);
    EXPECT_FALSE(token->is_renewable);
}

TEST_F(VaultLoginTest, RenewsItsToken) {
    vault_.set_ttl(std::chrono::seconds(100));
    const auto token = approle(vault_.make_secret_id());
    ASSERT_TRUE(token);
    vault_.advance(std::chrono::seconds(60));
    const auto renewed =
        wait_for<VaultResult<std::chrono::seconds>>([&](auto done) { renew(client(), token->value, std::move(done)); });
    ASSERT_TRUE(renewed);
    EXPECT_EQ(*renewed, std::chrono::seconds(100));
    vault_.advance(std::chrono::seconds(60));
    EXPECT_EQ(vault_.living_tokens(), 1U);
    vault_.advance(std::chrono::seconds(60));
    EXPECT_EQ(vault_.living_tokens(), 0U);
}

TEST_F(VaultLoginTest, TakesASecretIdOutOfItsWrapping) {
    const auto wrapped = vault_.make_wrapped_secret_id();
    const auto secret_id = unwrap(wrapped);
    ASSERT_TRUE(secret_id) << secret_id.error().text;
    EXPECT_TRUE(approle(std::string(secret_id->reveal())));
}

TEST_F(VaultLoginTest, ReportsAWrappingThatSomebodyElseHasOpened) {
    const auto wrapped = vault_.make_wrapped_secret_id();
    ASSERT_TRUE(unwrap(wrapped));
    const auto again = unwrap(wrapped);
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().text, HasSubstr("somebody else has used it"));
    EXPECT_THAT(again.error().text, Not(HasSubstr(wrapped)));
}

TEST_F(VaultLoginTest, OpensNoWrappingThatWasMadeElsewhere) {
    for (const auto* place : {"sys/wrapping/wrap", "auth/other/role/lab/secret-id", "auth/approle/role/lab/role-id"}) {
        const auto refused = unwrap(vault_.make_wrapped_secret_id(place));
        ASSERT_FALSE(refused);
        EXPECT_THAT(refused.error().text, HasSubstr("was not unwrapped")) << place;
    }
    EXPECT_EQ(vault_.count("POST /v1/sys/wrapping/unwrap"), 0U);
}

TEST_F(VaultLoginTest, EndsAnotherTokenByItsAccessor) {
    const auto token = approle(vault_.make_secret_id());
    ASSERT_TRUE(token);
    const auto ended = wait_for<VaultResult<SecretJson>>(
        [&](auto done) { revoke_accessor(client(), token_, token->accessor, std::move(done)); });
    EXPECT_TRUE(ended);
    EXPECT_EQ(vault_.living_tokens(), 0U);
}

}  // namespace
}  // namespace trebuchet
