#include "common/mask/credential_stream.hpp"

#include "tests/common/mask/credential_samples.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using test::credential_patterns;
using test::hide_credentials;
using testing::ElementsAre;

std::string key_body(std::size_t lines) {
    std::string body;
    for (std::size_t i = 0; i < lines; ++i)
        body += "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n";
    return body;
}

const std::string begin_key = "-----BEGIN PRIVATE KEY-----\n";

TEST(CredentialStream, MasksEachKindInAnyContext) {
    for (const auto& sample : test::credential_samples()) {
        EXPECT_EQ(hide_credentials(sample.text()), sample.masked(*test::plain_masks())) << name_of(sample.kind);
    }
}

TEST(CredentialStream, IgnoresLookalikes) {
    for (const auto& text : test::harmless_samples()) EXPECT_EQ(hide_credentials(text), text);
}

TEST(CredentialStream, IgnoresAKindThatIsOff) {
    for (const auto name : credential_kind_names) {
        CredentialStream stream(credential_patterns({std::string(name)}));
        for (const auto& sample : test::credential_samples()) {
            if (name_of(sample.kind) != name) continue;
            std::string out;
            stream.write_last(sample.text(), out);
            EXPECT_EQ(out, sample.text()) << name;
        }
    }
}

TEST(CredentialStream, ReportsEachMaskOnceByItsKind) {
    for (const auto& sample : test::credential_samples()) {
        std::vector<CredentialKind> reports;
        CredentialStream stream(credential_patterns(), [&](CredentialKind kind) { reports.push_back(kind); });
        std::string out;
        stream.write_last(sample.text(), out);
        EXPECT_THAT(reports, ElementsAre(sample.kind)) << sample.before;
    }
}

TEST(CredentialStream, DoesNotReportMaskedValues) {
    bool reported = false;
    CredentialStream stream(credential_patterns(), [&](CredentialKind /*kind*/) { reported = true; });
    std::string out;
    stream.write_last("https://u:**ab12cd**@host Authorization: Bearer **ab12cd**", out);
    EXPECT_FALSE(reported);
}

TEST(CredentialStream, GivesACredentialTheSameMaskEverywhere) {
    const std::string token = std::string("gh") + "p_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
    const auto mask = test::plain_masks()->of(token);
    EXPECT_EQ(hide_credentials(token), "ghp_" + mask);
    EXPECT_EQ(hide_credentials("Authorization: Bearer " + token), "Authorization: Bearer " + mask);
    EXPECT_EQ(hide_credentials("https://x:" + token + "@host"), "https://x:" + mask + "@host");
    EXPECT_EQ(hide_credentials("https://" + token + ":x-oauth@host"),
              "https://ghp_" + mask + ":" + test::plain_masks()->of("x-oauth") + "@host");
}

TEST(CredentialStream, MasksTheRestOfAPartlyMaskedValue) {
    const auto& masks = *test::plain_masks();
    EXPECT_EQ(hide_credentials("https://u:pre**ab12cd**post@host"),
              "https://u:" + masks.of("pre") + "**ab12cd**" + masks.of("post") + "@host");
    EXPECT_EQ(hide_credentials("Authorization: Bearer **ab12cd**.tail0"),
              "Authorization: Bearer **ab12cd**" + masks.of(".tail0"));
}

TEST(CredentialStream, DoesNotDelayAPrompt) {
    for (const std::string prompt :
         {"login: ", "Password: ", "root@host:~# ", "token", "https://host", "Authorization: Bearer ", "-----BEGIN ",
          "ubuntu login", "gh", "ghp_", "eyJ", "> ", "xox", "key=AKI", "https://user:", "a://"}) {
        CredentialStream stream(credential_patterns());
        std::string out;
        for (const char c : prompt) stream.write({&c, 1}, out);
        EXPECT_EQ(out, prompt);
        EXPECT_EQ(stream.held(), 0U);
    }
}

TEST(CredentialStream, HoldsOnlyAPossibleValue) {
    CredentialStream stream(credential_patterns());
    std::string out;
    stream.write("see https://user:pass", out);
    EXPECT_EQ(out, "see https://user:");
    EXPECT_EQ(stream.held(), 4U);
    stream.write(" ", out);
    EXPECT_EQ(out, "see https://user:pass ");
    EXPECT_EQ(stream.held(), 0U);
    stream.write("at http://localhost:8080/", out);
    EXPECT_EQ(stream.held(), 0U);
}

TEST(CredentialStream, StartsANewStreamAfterFinish) {
    CredentialStream stream(credential_patterns());
    std::string out;
    stream.write("Authorization: Bearer abcd", out);
    stream.finish(out);
    EXPECT_EQ(out, "Authorization: Bearer abcd");
    stream.write("efghIJKL1", out);
    stream.finish(out);
    EXPECT_EQ(out, "Authorization: Bearer abcdefghIJKL1");
}

TEST(CredentialStream, MasksAnEndlessKeyUpToTheLimit) {
    const auto body = key_body(1500);
    CredentialStream stream(credential_patterns());
    std::string out;
    for (std::size_t i = 0; i < body.size(); i += 1000) {
        stream.write(i == 0 ? begin_key : "", out);
        stream.write(std::string_view(body).substr(i, 1000), out);
        ASSERT_LE(stream.held(), longest_credential);
    }
    stream.finish(out);
    const auto bound = longest_credential - 1;  // the line end behind the marker counts too
    EXPECT_EQ(out, begin_key + test::plain_masks()->of(body.substr(0, bound)) + body.substr(bound));
    EXPECT_EQ(out, hide_credentials(begin_key + body));
}

TEST(CredentialStream, MasksAValueThatBeginsInATruncatedOneAndEndsAfterIt) {
    const std::string text = begin_key + key_body(2000).substr(0, longest_credential - 300) + "\nhttps://u:";
    const std::string password(900, 'p');
    CredentialStream stream(credential_patterns());
    std::string out;
    stream.write(text, out);
    for (const char c : password) stream.write({&c, 1}, out);
    stream.write("@host/\n", out);
    stream.finish(out);
    EXPECT_EQ(out, hide_credentials(text + password + "@host/\n"));
    EXPECT_TRUE(out.ends_with("**@host/\n"));
}

TEST(CredentialStream, FindsAKeyAfterATruncatedOne) {
    const auto body = key_body(1500);
    const auto out = hide_credentials(begin_key + body + begin_key + key_body(3) + "-----END PRIVATE KEY-----\n");
    EXPECT_TRUE(out.ends_with(begin_key + test::plain_masks()->of(key_body(3).substr(0, key_body(3).size() - 1)) +
                              "\n-----END PRIVATE KEY-----\n"));
}

TEST(CredentialStream, DoesNothingIfAllKindsAreOff) {
    CredentialStream stream(
        credential_patterns({std::vector<std::string>(credential_kind_names.begin(), credential_kind_names.end())}));
    std::string out;
    stream.write("https://u:p@h", out);
    EXPECT_EQ(out, "https://u:p@h");
    stream.finish(out);
    EXPECT_EQ(out, "https://u:p@h");
}

/// Text that makes a search start over and over: the time is bounded, or this test would not end.
TEST(CredentialStream, TakesLinearTimeForHostileText) {
    for (const std::string piece : {"eyJ",
                                    "eyJa.",
                                    "\\neyJa.",
                                    "://a:",
                                    "://a:b@",
                                    "://a:b/",
                                    "a:@b",
                                    "-----BEGIN PRIVATE KEY-----",
                                    "-----BEGIN PRIVATE KEY-----\n",
                                    "-----BEGIN PRIVATE KEY-----A",
                                    "Private-Lines: 1\\",
                                    "LS0tLS1CRUdJTia",
                                    "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
                                    "PRIVATE KEY-----",
                                    "https://u:p\\u0026",
                                    "https://u:\\",
                                    "Private-Lines: 1\n",
                                    "glpat-a",
                                    ".glpat-a",
                                    "xoxb-1",
                                    "ghp_a",
                                    "hvs.a",
                                    "Authorization: Bearer ",
                                    "authorization=bearer a",
                                    "secret_key=",
                                    "session_token=a",
                                    "token s.a",
                                    "GR1348941a",
                                    "AKIAA",
                                    "**ab12cd**",
                                    "Authorization: Bearer **ab12cd**",
                                    "https://u:**ab12cd*",
                                    "hooks.slack.com/services/a",
                                    "AGE-SECRET-KEY-1A",
                                    "\x1B[31meyJ"}) {
        SCOPED_TRACE(piece);
        CredentialStream stream(credential_patterns());
        auto text = begin_key;
        while (text.size() < 100'000) text += piece;
        std::string out;
        for (std::size_t i = 0; i < text.size(); i += 13) {
            stream.write(std::string_view(text).substr(i, 13), out);
            ASSERT_LE(stream.held(), longest_credential);
        }
        stream.finish(out);
        EXPECT_EQ(out, hide_credentials(text));
    }
}

}  // namespace
}  // namespace trebuchet
