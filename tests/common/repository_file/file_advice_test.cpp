#include "common/repository_file/file_advice.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(FileAdvice, SeesWhatShouldBeEncrypted) {
    EXPECT_TRUE(looks_secret("STORE_TOKEN", "a1b2c3d4"));
    EXPECT_TRUE(looks_secret("x", "ghp_0123456789abcdef"));
    EXPECT_TRUE(looks_secret("x", "q8Zk3LmN0pRsT7vWxY2aBcD4eFgH6iJk"));
    EXPECT_TRUE(looks_secret("db_password", "hunter22"));
    EXPECT_TRUE(looks_secret("KEY", "-----BEGIN RSA PRIVATE KEY-----"));
}

TEST(FileAdvice, LeavesOrdinaryValuesAlone) {
    EXPECT_FALSE(looks_secret("LEVEL", "1"));
    EXPECT_FALSE(looks_secret("MODE", "plain text is allowed here"));
    EXPECT_FALSE(looks_secret("TOKEN_FILE", "/run/token"));
    EXPECT_FALSE(looks_secret("TOKEN_URL", "https://auth.example.org/token"));
    EXPECT_FALSE(looks_secret("TOKEN_LIFETIME", "3600000"));
    EXPECT_FALSE(looks_secret("USES_SECRETS", "false"));
}

TEST(FileAdvice, KnowsNamesThatAreNeverRead) {
    EXPECT_NE(name_problem("07-wrong-name.testing-farm.yml"), "");
    EXPECT_NE(name_problem(".testing-farm.yml"), "");
    EXPECT_NE(name_problem("testing-farm.yaml"), "");
    EXPECT_EQ(name_problem(".testing-farm.yaml"), "");
    EXPECT_EQ(name_problem("other.yaml"), "");
}

}  // namespace
}  // namespace trebuchet
