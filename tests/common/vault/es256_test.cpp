#include "common/vault/es256.hpp"

#include "common/secret/base64.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// RFC 7515, appendix A.3: key and signature of somebody else.
constexpr const char* rfc_public_key = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7
6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END PUBLIC KEY-----
)";
constexpr const char* rfc_token =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

TEST(Es256, AcceptsTheTokenOfTheStandard) {
    EXPECT_TRUE(is_es256_token_of(rfc_public_key, rfc_token));
    std::string changed = rfc_token;
    changed[30] = changed[30] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(is_es256_token_of(rfc_public_key, changed));
}

TEST(Es256, SignsWhatItsPublicKeyAccepts) {
    const auto key = make_es256_key();
    ASSERT_TRUE(key);
    EXPECT_THAT(std::string(key->private_pem.reveal()), StartsWith("-----BEGIN PRIVATE KEY-----"));
    EXPECT_EQ(es256_public_key(key->private_pem.reveal()).value(), key->public_pem);
    for (int i = 0; i < 50; ++i) {  // a number in a signature may begin with zeros
        const auto token = make_es256_token(key->private_pem.reveal(), R"({"n":)" + std::to_string(i) + "}");
        ASSERT_TRUE(token);
        EXPECT_TRUE(is_es256_token_of(key->public_pem, *token));
        EXPECT_FALSE(is_es256_token_of(rfc_public_key, *token));
    }
}

TEST(Es256, WritesHeaderAndClaimsAsTheStandardWants) {
    const auto key = make_es256_key();
    const auto token = std::string(std::string_view(*make_es256_token(key->private_pem.reveal(), "{}")));
    EXPECT_THAT(token, StartsWith("eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.e30."));
    EXPECT_EQ(token.size() - token.rfind('.') - 1, 86U);
}

TEST(Es256, RefusesAnotherKey) {
    for (const auto* text : {"", "no key", rfc_public_key,
                             "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/"
                             "VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n"}) {
        EXPECT_FALSE(make_es256_token(text, "{}"));
        EXPECT_FALSE(es256_public_key(text));
    }
}

}  // namespace
}  // namespace trebuchet
