#pragma once

#include "tests/fakes/fake_vault.hpp"
#include "tests/integration/harness/lab_test.hpp"

#include <string>
#include <string_view>

#include <sys/stat.h>

namespace trebuchet::harness {

/// A lab with a Vault, whose secret TOKEN the grant "suite" gives to all jobs of the queue that ask.
class VaultLab : public LabTest {
  protected:
    static constexpr const char* secret = "s3cret-of-the-lab";

    VaultLab() {
        vault.put("secret/team/db", {{"password", secret}});
        secret_file("secret_id", vault.make_secret_id());
        agent.on("test", R"(echo "TOKEN=[${TOKEN-unset}]")");
        configure({{"vault",
                    {{"address", vault.origin()},
                     {"ca_file", authority.certificate()},
                     {"login", "approle"},
                     {"role_id", FakeVault::role_id()},
                     {"secret_id_file", agent.folder() / "secret_id"}}},
                   {"grants",
                    {{{"name", "suite"},
                      {"allow", {{"queue", queue}}},
                      {"env", {{"TOKEN", "vault:secret/team/db#password"}}}}}}});
    }

    /// Keys of trebuchet.secrets.
    void configure(const Json& secrets) { agent.configure({{"trebuchet", {{"secrets", secrets}}}}); }
    /// Changes the only grant.
    void change_grant(const Json& keys) {
        grant_.merge_patch(keys);
        configure({{"grants", {grant_}}});
    }
    std::filesystem::path secret_file(const std::string& name, std::string_view text) const {
        const auto path = agent.folder().write(name, text);
        EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
        return path;
    }
    /// A job that asks for the grant.
    [[nodiscard]] static Json asking(Json fields = Json::object()) {
        if (!fields.contains("tags")) fields["tags"] = {"secret:suite"};
        if (!fields.contains("test_data")) fields["test_data"] = {{"test_cmds", "x"}};
        return fields;
    }
    /// Nothing that was secret is in what the server or a disk has.
    void expect_no_secret_anywhere(const std::string& id) {
        EXPECT_THAT(server.result(id).dump(), ::testing::Not(::testing::HasSubstr(secret)));
        EXPECT_THAT(agent.files_holding(secret), ::testing::IsEmpty());
        EXPECT_THAT(agent.log(), ::testing::Not(::testing::HasSubstr(secret)));
        for (const auto& token : vault.all_tokens()) {
            EXPECT_THAT(agent.log(), ::testing::Not(::testing::HasSubstr(token)));
            EXPECT_THAT(agent.files_holding(token), ::testing::IsEmpty());
        }
    }
    void expect_one_login_and_one_revocation() {
        EXPECT_EQ(vault.count("POST /v1/auth/approle/login"), 1U);
        EXPECT_EQ(vault.count("POST /v1/auth/token/revoke-self"), 1U);
        EXPECT_EQ(vault.revocations(), 1U);
        EXPECT_EQ(vault.living_tokens(), 0U);
    }

    TestCertificate files_ = authority.issue("vault", "IP:127.0.0.1");
    FakeVault vault{ServerIdentity{files_.certificate, files_.key, {}}};

  private:
    Json grant_ = {
        {"name", "suite"}, {"allow", {{"queue", queue}}}, {"env", {{"TOKEN", "vault:secret/team/db#password"}}}};
};

}  // namespace trebuchet::harness
