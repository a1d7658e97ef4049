#include "common/vault/vault_documents.hpp"

#include "tests/common/vault/vault_fixture.hpp"

#include <map>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;
using Json = nlohmann::json;
using Kind = VaultError::Kind;

class VaultDocumentsTest : public VaultTest {
  protected:
    VaultResult<VaultDocument> read(const std::string& path) {
        if (!reader_) reader_.emplace(client());
        return wait_for<VaultResult<VaultDocument>>([&](auto done) { reader_->read(token_, path, std::move(done)); });
    }
    std::map<std::string, std::string> fields(const std::string& path) {
        std::map<std::string, std::string> texts;
        const auto document = read(path);
        if (!document) return {{"error", document.error().text}};
        for (const auto& [name, value] : document->fields) texts[name] = std::string(value.reveal());
        return texts;
    }

  private:
    std::optional<VaultReader> reader_;
};

TEST_F(VaultDocumentsTest, AreReadFromTheSecondVersionWithOrWithoutData) {
    vault_.put("secret/team/db", {{"password", "second"}});
    EXPECT_THAT(fields("secret/team/db"), ElementsAre(Pair("password", "second")));
    EXPECT_THAT(fields("secret/data/team/db"), ElementsAre(Pair("password", "second")));
}

TEST_F(VaultDocumentsTest, AreReadFromTheFirstVersion) {
    vault_.put("kv1/team/db", {{"password", "one"}});
    EXPECT_THAT(fields("kv1/team/db"), ElementsAre(Pair("password", "one")));
}

TEST_F(VaultDocumentsTest, AreReadFromAMountWithASlash) {
    vault_.put("team/kv/x", {{"a", "b"}});
    EXPECT_THAT(fields("team/kv/x"), ElementsAre(Pair("a", "b")));
}

TEST_F(VaultDocumentsTest, HaveTextsAndEverythingElseAsJson) {
    vault_.put("secret/team/db", Json::parse(R"({"empty": "", "nested": {"a": ["x", null]}, "port": 5432, "tls": true,
                                                 "none": null, "text": "a\"b\né"})"));
    EXPECT_THAT(fields("secret/team/db"),
                ElementsAre(Pair("empty", ""), Pair("nested", R"({"a":["x",null]})"), Pair("none", ""),
                            Pair("port", "5432"), Pair("text", "a\"b\n\xC3\xA9"), Pair("tls", "true")));
}

TEST_F(VaultDocumentsTest, OfAnEngineThatWantsParametersArePosted) {
    EXPECT_THAT(fields("pki/issue/dut?common_name=a.lab.test&ttl=10m"),
                testing::Contains(Pair("certificate", testing::Not(testing::IsEmpty()))));
    EXPECT_EQ(read("pki/issue/dut?common_name=a.lab.test&ttl=10m")->lifetime, std::chrono::seconds(600));
    EXPECT_THAT(fields("ssh/sign/dut?public_key=ssh-ed25519 AAAA= me@host&valid_principals=ubuntu&ttl=20m"),
                testing::Contains(Pair("signed_key", testing::Not(testing::IsEmpty()))));
    EXPECT_EQ(vault_.raw_requests().back().body,
              R"({"public_key":"ssh-ed25519 AAAA= me@host","ttl":"20m","valid_principals":"ubuntu"})");
    EXPECT_EQ(vault_.count("GET /v1/sys/internal"), 0U);
}

TEST_F(VaultDocumentsTest, OfAnEngineThatRefusesSayWhy) {
    const auto document = read("pki/issue/dut?common_name=a.elsewhere.test");
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().kind, Kind::refused);
    EXPECT_THAT(document.error().text, HasSubstr("common name a.elsewhere.test not allowed by this role"));
}

TEST_F(VaultDocumentsTest, OfAnEngineThatWantsParametersAreAskedForOnlyOnce) {
    vault_.fail_next(1, 500);
    EXPECT_FALSE(read("pki/issue/dut?common_name=a.lab.test"));
    EXPECT_EQ(vault_.raw_requests().size(), 1U);
}

TEST_F(VaultDocumentsTest, AskOnceForEachMount) {
    for (int i = 0; i < 5; ++i) vault_.put("secret/team/" + std::to_string(i), {{"a", "b"}});
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(read("secret/team/" + std::to_string(i)));
    EXPECT_EQ(vault_.count("GET /v1/sys/internal/ui/mounts/"), 1U);
    EXPECT_THAT(vault_.requests(), SizeIs(6));
}

TEST_F(VaultDocumentsTest, ThatWereDeletedOrNeverWereAreMissing) {
    vault_.put("secret/team/gone", nullptr);
    EXPECT_EQ(read("secret/team/gone").error().kind, Kind::missing);
    EXPECT_EQ(read("secret/team/nothing").error().kind, Kind::missing);
    EXPECT_EQ(read("kv1/team/nothing").error().kind, Kind::missing);
}

TEST_F(VaultDocumentsTest, ThatThePolicyKeepsAreDeniedWithAHint) {
    const auto denied = read("secret/other/db");
    ASSERT_FALSE(denied);
    EXPECT_EQ(denied.error().kind, Kind::denied);
    EXPECT_THAT(denied.error().text, HasSubstr("read on secret/data/"));
    EXPECT_EQ(read("nomount/x").error().kind, Kind::denied);
}

TEST_F(VaultDocumentsTest, OfOtherEnginesAreCredentialsThatEnd) {
    const auto credentials = read("rabbit/creds/ci");
    ASSERT_TRUE(credentials) << credentials.error().text;
    EXPECT_THAT(credentials->fields, SizeIs(2));
    EXPECT_EQ(credentials->lifetime, std::chrono::seconds(60));
    EXPECT_EQ(vault_.count("GET /v1/rabbit/creds/ci"), 1U);
}

TEST_F(VaultDocumentsTest, AreReadEvenIfVaultDoesNotShowTheMount) {
    vault_.put("secret/team/db", {{"password", "second"}});
    vault_.fail_next(1, 403);  // the question for the mount
    EXPECT_THAT(fields("secret/team/db"), ElementsAre(Pair("password", "second")));
    EXPECT_THAT(vault_.requests(), ElementsAre(HasSubstr("internal/ui/mounts"), "GET /v1/secret/data/team/db"));
}

TEST_F(VaultDocumentsTest, AreOutOfReachWhileVaultIsSealed) {
    vault_.seal();
    EXPECT_EQ(read("secret/team/db").error().kind, Kind::unreachable);
}

}  // namespace
}  // namespace trebuchet
