#include "common/vault/vault_documents.hpp"
#include "common/vault/vault_login.hpp"
#include "tests/common/vault/vault_fixture.hpp"

#include <cstdlib>

namespace trebuchet {
namespace {

using testing::SizeIs;
using Kind = VaultError::Kind;

const char* variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// What a real Vault has to do as well: with $TREBUCHET_TEST_VAULT_ADDR and _TOKEN (and perhaps _CACERT) these tests
/// run against that server, whose mount secret/ must be a KV 2; otherwise against the fake.
class VaultContract : public VaultTest {
  protected:
    VaultContract() : root_(vault_.root_token()) {
        const std::string address = variable("TREBUCHET_TEST_VAULT_ADDR");
        if (address.empty()) return;
        options_ = options();
        options_->server.origin = address;
        options_->server.ca_file = variable("TREBUCHET_TEST_VAULT_CACERT");
        root_ = SecretString(variable("TREBUCHET_TEST_VAULT_TOKEN"));
    }
    VaultResult<SecretJson> write(const std::string& path, const char* fields) {
        VaultRequest request;
        request.method = HttpRequest::Method::post;
        request.path = path;
        request.token = &root_;
        request.body = fields;
        return send(std::move(request));
    }
    VaultResult<VaultDocument> read(const SecretString& token, const std::string& path) {
        VaultReader reader(client());
        return wait_for<VaultResult<VaultDocument>>([&](auto done) { reader.read(token, path, std::move(done)); });
    }
    VaultResult<VaultToken> make_token() {
        return wait_for<VaultResult<VaultToken>>(
            [&](auto done) { make_child_token(client(), root_, std::chrono::seconds(600), std::move(done)); });
    }

    SecretString root_;
};

TEST_F(VaultContract, HasDocumentsOfTheSecondVersion) {
    ASSERT_TRUE(write("secret/data/trebuchet-test/db", R"({"data": {"password": "second", "port": 5432}})"));
    for (const auto* path : {"secret/trebuchet-test/db", "secret/data/trebuchet-test/db"}) {
        const auto document = read(root_, path);
        ASSERT_TRUE(document) << document.error().text;
        EXPECT_THAT(document->fields, SizeIs(2));
        EXPECT_EQ(document->fields.at("password").reveal(), "second");
        EXPECT_EQ(document->fields.at("port").reveal(), "5432");
        EXPECT_EQ(document->lifetime.count(), 0);
    }
    EXPECT_EQ(read(root_, "secret/trebuchet-test/none").error().kind, Kind::missing);
}

TEST_F(VaultContract, EndsATokenOfAJob) {
    const auto token = make_token();
    ASSERT_TRUE(token) << token.error().text;
    EXPECT_EQ(token->lifetime, std::chrono::seconds(600));
    EXPECT_TRUE(token->is_renewable);
    EXPECT_TRUE(wait_for<VaultResult<std::chrono::seconds>>(
        [&](auto done) { renew(client(), token->value, std::move(done)); }));
    ASSERT_TRUE(wait_for<VaultResult<SecretJson>>(
        [&](auto done) { revoke(client(), token->value, std::chrono::seconds(10), std::move(done)); }));
    EXPECT_EQ(read(token->value, "secret/trebuchet-test/db").error().kind, Kind::denied);
}

TEST_F(VaultContract, EndsATokenByItsAccessor) {
    const auto token = make_token();
    ASSERT_TRUE(token) << token.error().text;
    ASSERT_TRUE(wait_for<VaultResult<SecretJson>>(
        [&](auto done) { revoke_accessor(client(), root_, token->accessor, std::move(done)); }));
    EXPECT_EQ(read(token->value, "secret/trebuchet-test/db").error().kind, Kind::denied);
}

TEST_F(VaultContract, RefusesAnUnknownRole) {
    const auto login = wait_for<VaultResult<VaultToken>>(
        [&](auto done) { log_in_with_approle(client(), "approle", "no-such-role", "no-such-id", std::move(done)); });
    ASSERT_FALSE(login);
    EXPECT_NE(login.error().kind, Kind::unreachable);
}

}  // namespace
}  // namespace trebuchet
