#include "agent/secrets/vault_logins.hpp"

#include "common/secret/base64.hpp"
#include "common/vault/es256.hpp"
#include "tests/fakes/fake_vault.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/fakes/test_authority.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const JobIdentity identity{"agent-7", "rpi4-secure", QueueRestriction::yes, "team-a", "job-1"};

class VaultLoginsTest : public testing::Test {
  protected:
    VaultLoginsTest() {
        config_.address = vault_.origin();
        config_.ca_file = authority_.certificate();
        config_.max_retries = 0;
        config_.role = "lab";
        client_ = std::make_unique<VaultClient>(loop_, vault_options(config_, "test"), [] { return 0.0; });
    }
    std::filesystem::path secret_file(const std::string& name, std::string_view text) const {
        const auto path = folder_.write(name, text);
        EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
        return path;
    }
    /// "" or what is wrong.
    std::string log_in() {
        std::optional<VaultResult<VaultToken>> result;
        logins_.log_in(config_, identity, *client_, [&](VaultResult<VaultToken> token) { result = std::move(token); });
        EXPECT_TRUE(loop_.wait_for(std::chrono::seconds(60), [&] { return result.has_value(); }));
        return *result ? "" : (*result).error().text;
    }

    EventLoop loop_;
    SystemClock clock_;
    TemporaryFolder folder_;
    TestAuthority authority_{folder_.path(), "authority"};
    TestCertificate files_ = authority_.issue("vault", "IP:127.0.0.1");
    FakeVault vault_{ServerIdentity{files_.certificate, files_.key, {}}};
    VaultConfig config_;
    std::map<std::string, std::string> environment_;
    std::string masked_;
    VaultLogins logins_{{clock_,
                         [this](const char* name) {
                             const auto found = environment_.find(name);
                             return found == environment_.end() ? nullptr : found->second.c_str();
                         },
                         [this](const std::string&, std::string_view value) { masked_ += std::string(value) + "\n"; }}};
    std::unique_ptr<VaultClient> client_;
};

TEST_F(VaultLoginsTest, SignAnIdentityOfTheJob) {
    const auto key = make_es256_key().value();
    config_.signing_key_file = secret_file("key", key.private_pem.reveal());
    vault_.trust(key.public_pem, vault_.origin(),
                 {{"queue", "rpi4-secure"}, {"queue_restricted", "true"}, {"client_id", "team-a"}});
    ASSERT_EQ(log_in(), "");
    const auto claims = vault_.last_claims();
    EXPECT_EQ(claims["iss"], "trebuchet:agent-7");
    EXPECT_EQ(claims["sub"], "agent-7:rpi4-secure:team-a");
    EXPECT_EQ(claims["agent_id"], "agent-7");
    EXPECT_EQ(claims["job_id"], "job-1");
    EXPECT_EQ(claims["exp"].get<int>() - claims["iat"].get<int>(), 300);
    EXPECT_EQ(claims["nbf"], claims["iat"]);
    EXPECT_EQ(claims["jti"].get<std::string>().size(), 32U);
    EXPECT_THAT(masked_, HasSubstr(std::string(key.private_pem.reveal().substr(30, 30))));
}

TEST_F(VaultLoginsTest, SayNothingOfAClientThatTheServerDidNotName) {
    auto nobody = identity;
    nobody.client_id.reset();
    nobody.queue_restriction = QueueRestriction::unknown;
    const auto claims = json::parse(claims_of(nobody, "i", "a", std::chrono::system_clock::time_point(), "n"));
    EXPECT_FALSE(claims.contains("client_id"));
    EXPECT_EQ(claims["queue_restricted"], "unknown");
}

TEST_F(VaultLoginsTest, NeedAKeyThatNobodyElseCanRead) {
    EXPECT_THAT(log_in(), HasSubstr("secret identity"));
    const auto key = make_es256_key().value();
    config_.signing_key_file = folder_.write("key", key.private_pem.reveal());
    ASSERT_EQ(::chmod(config_.signing_key_file.c_str(), 0644), 0);
    EXPECT_THAT(log_in(), HasSubstr("chmod 0600"));
    config_.signing_key_file = secret_file("no-key", "hunter2");
    EXPECT_THAT(log_in(), AllOf(HasSubstr("P-256"), Not(HasSubstr("hunter2"))));
}

TEST_F(VaultLoginsTest, WithAnAppRoleReadTheSecretIdEachTime) {
    config_.login = VaultLogin::approle;
    config_.role_id = FakeVault::role_id();
    config_.secret_id_file = secret_file("id", vault_.make_secret_id() + "\n");
    EXPECT_EQ(log_in(), "");
    secret_file("id", "wrong");
    EXPECT_THAT(log_in(), HasSubstr("invalid role or secret ID"));
    secret_file("id", vault_.make_secret_id());
    EXPECT_EQ(log_in(), "");
}

TEST_F(VaultLoginsTest, OpenAWrappedSecretIdOnce) {
    config_.login = VaultLogin::approle;
    config_.role_id = FakeVault::role_id();
    config_.secret_id_is_wrapped = true;
    const auto wrapped = vault_.make_wrapped_secret_id();
    config_.secret_id_file = secret_file("id", wrapped);
    EXPECT_EQ(log_in(), "");
    EXPECT_EQ(log_in(), "");
    EXPECT_EQ(vault_.count("POST /v1/sys/wrapping/unwrap"), 1U);
    EXPECT_THAT(masked_, AllOf(HasSubstr(wrapped), HasSubstr("secret-id-of-the-fake")));
    secret_file("id", vault_.make_wrapped_secret_id());
    EXPECT_EQ(log_in(), "");
    EXPECT_EQ(vault_.count("POST /v1/sys/wrapping/unwrap"), 2U);
}

TEST_F(VaultLoginsTest, ReportASecretIdThatSomebodyElseHasOpened) {
    config_.login = VaultLogin::approle;
    config_.role_id = FakeVault::role_id();
    config_.secret_id_is_wrapped = true;
    config_.secret_id_file = secret_file("id", vault_.make_wrapped_secret_id());
    EXPECT_EQ(log_in(), "");
    VaultLogins stranger({clock_, [](const char*) { return nullptr; }, [](const std::string&, std::string_view) {}});
    std::optional<VaultResult<VaultToken>> result;
    stranger.log_in(config_, identity, *client_, [&](VaultResult<VaultToken> token) { result = std::move(token); });
    ASSERT_TRUE(loop_.wait_for(std::chrono::seconds(60), [&] { return result.has_value(); }));
    EXPECT_THAT((*result).error().text, HasSubstr("somebody else has used it"));
}

TEST_F(VaultLoginsTest, WithATokenMakeOneForTheJob) {
    config_.login = VaultLogin::token;
    EXPECT_THAT(log_in(), HasSubstr("token_file"));
    environment_["VAULT_TOKEN"] = "wrong";
    environment_["BAO_TOKEN"] = vault_.make_token(std::chrono::hours(1));
    EXPECT_EQ(log_in(), "");
    environment_["BAO_TOKEN"] = "";
    environment_["HOME"] = folder_.path().string();
    EXPECT_THAT(log_in(), HasSubstr("token_file"));
    secret_file(".vault-token", " " + vault_.make_token(std::chrono::hours(1)) + "\n");
    EXPECT_EQ(log_in(), "");
    environment_["BAO_TOKEN"] = "wrong";
    config_.token_file = secret_file("token", vault_.make_token(std::chrono::hours(1)));
    EXPECT_EQ(log_in(), "");
}

}  // namespace
}  // namespace trebuchet
