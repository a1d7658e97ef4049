#include "agent/api/access_token.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

class RefreshToken : public testing::Test {
  protected:
    [[nodiscard]] Result<std::optional<SecretString>> read(std::string_view text) const {
        folder_.write("token", text);
        return read_refresh_token(folder_ / "token");
    }
    [[nodiscard]] std::string problem_of(std::string_view text) const {
        const auto token = read(text);
        return token ? "no problem" : token.error().message();
    }

    TemporaryFolder folder_;
};

TEST_F(RefreshToken, IsReadFromItsFile) {
    const auto token = read("{\"refresh_token\": \"abc-123\", \"other\": 1}\n");
    ASSERT_TRUE(token && *token);
    EXPECT_EQ((*token)->reveal(), "abc-123");
}

TEST_F(RefreshToken, IsNoneWithoutAFile) {
    const auto token = read_refresh_token(folder_ / "missing");
    ASSERT_TRUE(token);
    EXPECT_FALSE(*token);
}

TEST_F(RefreshToken, AFileWithoutATokenIsAProblemThatQuotesNothingOfIt) {
    for (const std::string_view text :
         {"", "s3cret", "{", "[\"s3cret\"]", "\"s3cret\"", "{\"refresh_token\": [\"s3cret\"]}",
          "{\"refresh_token\": \"\"}", "{\"token\": \"s3cret\"}", "{\"refresh_token\": \"s3cret",
          "{\"refresh_token\": null}"}) {
        EXPECT_THAT(problem_of(text), HasSubstr("contains no token; expected {\"refresh_token\"")) << text;
        EXPECT_THAT(problem_of(text), Not(HasSubstr("s3cret"))) << text;
    }
}

TEST_F(RefreshToken, IsAsOldAsItsFileSaysOrAsTheFileIs) {
    using std::chrono::system_clock;
    const auto file = folder_ / "token";
    folder_.write("token", R"({"refresh_token": "t", "obtained_at": 1700000000})");
    EXPECT_EQ(token_obtained_at(file), system_clock::from_time_t(1700000000));
    folder_.write("token", R"({"refresh_token": "t", "obtained_at": "2023-11-14T22:13:20Z"})");
    EXPECT_EQ(token_obtained_at(file), system_clock::from_time_t(1700000000));
    for (const auto* text : {R"({"obtained_at": -1})", R"({"obtained_at": 1e300})", R"({"obtained_at": []})", "x"}) {
        folder_.write("token", text);
        const timespec written[] = {{1600000000, 0}, {1600000000, 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), written, 0), 0);
        EXPECT_EQ(token_obtained_at(file), system_clock::from_time_t(1600000000)) << text;
    }
    EXPECT_EQ(token_obtained_at(file.string() + ".missing"), std::nullopt);
}

TEST_F(RefreshToken, OneThatWouldEndAHeaderIsRefused) {
    for (const auto* text :
         {R"({"refresh_token": "a\r\nHost: x"})", R"({"refresh_token": "a\nb"})", R"({"refresh_token": "a\u0000b"})"}) {
        EXPECT_THAT(problem_of(text), HasSubstr("contains no token")) << text;
    }
}

TEST_F(RefreshToken, AFileThatIsTooLongOrAFolderIsAProblem) {
    EXPECT_THAT(problem_of(std::string(70'000, ' ')), HasSubstr("is longer than"));
    const auto token = read_refresh_token(folder_.path());
    ASSERT_FALSE(token);
    EXPECT_THAT(token.error().message(), HasSubstr(folder_.path().string()));
}

class AccessTokenAnswer : public testing::Test {
  protected:
    [[nodiscard]] Result<AccessToken> parse(std::string_view answer) const {
        return parse_access_token(answer, clock_.now());
    }
    /// How long a token is used.
    [[nodiscard]] milliseconds life_of(std::string_view answer) const {
        const auto token = parse(answer);
        return token ? std::chrono::duration_cast<milliseconds>(token->renew_at - clock_.now()) : milliseconds(-1);
    }

    FakeClock clock_;
};

TEST_F(AccessTokenAnswer, IsRenewedWhenFourFifthsOfItsLifeAreOver) {
    const auto token = parse(R"({"access_token": "abc", "expires_in": 600, "token_type": "Bearer"})");
    ASSERT_TRUE(token);
    EXPECT_EQ(token->value.reveal(), "abc");
    EXPECT_EQ(token->renew_at - clock_.now(), seconds(480));
}

TEST_F(AccessTokenAnswer, AStrangeLifeIsBroughtIntoBounds) {
    EXPECT_EQ(life_of(R"({"access_token": "abc"})"), seconds(480));
    EXPECT_EQ(life_of(R"({"access_token": "abc", "expires_in": "600"})"), seconds(480));
    EXPECT_EQ(life_of(R"({"access_token": "abc", "expires_in": 0})"), milliseconds(800));
    EXPECT_EQ(life_of(R"({"access_token": "abc", "expires_in": -5})"), milliseconds(800));
    EXPECT_EQ(life_of(R"({"access_token": "abc", "expires_in": 9223372036854775807})"), seconds(69'120));
}

TEST_F(AccessTokenAnswer, AnythingElseIsAProblemThatQuotesNothingOfIt) {
    for (const auto* answer : {"", "<html>s3cret", "[]", "{}", R"({"access_token": 7})", R"({"access_token": ""})",
                               R"({"access_token": "s3cret\r\nX: y"})", R"({"token": "s3cret"})"}) {
        const auto token = parse(answer);
        ASSERT_FALSE(token) << answer;
        EXPECT_EQ(token.error().message(), "the server's answer contains no access_token");
    }
}

}  // namespace
}  // namespace trebuchet
