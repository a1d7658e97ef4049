#include "agent/config/secret_reference.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

TEST(SecretReference, NamesAPlaceInEachSource) {
    for (const std::string text :
         {"vault:secret/team/db#password", "env:TOKEN", "file:/etc/key", "credential:key.pem", "server:TOKEN",
          "vault:kv/data/a#b#c", "vault:pki/issue/dut?common_name=a.lab&ttl=10m#certificate",
          "vault:ssh/sign/dut?public_key=ssh-ed25519 AAAA+/= me@host#signed_key", "vault:team/kv/x@1#a b"}) {
        const auto reference = parse_secret_reference(text);
        ASSERT_TRUE(reference) << text;
        EXPECT_EQ(reference->text(), text);
    }
    EXPECT_EQ(parse_secret_reference("vault:secret/team/db#password")->field, "password");
    EXPECT_EQ(parse_secret_reference("vault:secret/team/db#password")->path, "secret/team/db");
}

TEST(SecretReference, RefusesWhatNamesNoPlace) {
    for (const std::string text : {"",
                                   "TOKEN",
                                   "vault:",
                                   "vault:secret#a",
                                   "vault:secret/a",
                                   "vault:secret/a#",
                                   "vault:secret//a#b",
                                   "vault:/secret/a#b",
                                   "vault:secret/a/#b",
                                   "vault:secret/../a#b",
                                   "vault:secret/./a#b",
                                   "vault:secret/a?x#b",
                                   "vault:secret/a?#b",
                                   "vault:secret/a?=x#b",
                                   "vault:secret/a?a=b&#b",
                                   "vault:secret/a?a=b\nc#b",
                                   "vault:secret/../a?a=b#b",
                                   "vault:secret/a%2Fb#c",
                                   "vault:secret/a b#c",
                                   "env:",
                                   "env:1A",
                                   "env:A-B",
                                   "file:key",
                                   "file:",
                                   "credential:a/b",
                                   "credential:..",
                                   "credential:",
                                   "server:",
                                   "consul:a/b#c",
                                   "Env:A"}) {
        EXPECT_FALSE(parse_secret_reference(text)) << text;
    }
}

TEST(SecretReference, NamesAWholeDocumentWithoutAField) {
    EXPECT_EQ(parse_document_reference("vault:secret/suite")->path, "secret/suite");
    for (const std::string text : {"vault:secret/suite#a", "env:A", "file:/a"}) {
        EXPECT_FALSE(parse_document_reference(text)) << text;
    }
}

TEST(SecretReference, SaysThatTheFieldIsMissing) {
    EXPECT_THAT(parse_secret_reference("vault:secret/team/db").error(), HasSubstr("'#field' is missing"));
}

}  // namespace
}  // namespace trebuchet
