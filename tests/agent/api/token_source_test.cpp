#include "agent/api/token_source.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr auto login = "/v1/oauth2/token";
constexpr auto refresh = "/v1/oauth2/refresh";

/// "lab:k3y" in base64, as HTTP wants it.
constexpr auto right_login = "Basic bGFiOmszeQ==";

class TokenSourceTest : public testing::Test {
  protected:
    TokenSourceTest() {
        folder_.write("key", "k3y\n");
        script_.answer = [this](const HttpRequest& request) { return answer(request); };
    }

    HttpResult answer(const HttpRequest& request) const {
        if (is_down_) return tl::unexpected(HttpFailure{HttpFailure::Kind::unreachable, "down"});
        if (request.target == login && header_of(request, "Authorization") == right_login) {
            return HttpResponse{200, {}, WipedString(R"({"access_token": "a1", "refresh_token": "r1"})")};
        }
        if (request.target == refresh && request.body == WipedString(R"({"refresh_token":"r1"})") && !revoked_) {
            return HttpResponse{200, {}, WipedString(R"({"access_token": "a2"})")};
        }
        return HttpResponse{401, {}, "no: " + WipedString(header_of(request, "Authorization")) + " " + request.body};
    }

    /// The access token, "anonymous", or the error.
    std::string ask(TokenSource& source) {
        std::optional<std::string> got;
        source.ask([&](const TokenSource::Answer& answer) {
            if (!answer) got = answer.error().message();
            if (answer) got = *answer ? std::string((*answer)->value.reveal()) : "anonymous";
        });
        loop_.run_until([&] { return got.has_value(); });
        return *got;
    }

    EventLoop loop_;
    FakeClock clock_;
    TemporaryFolder folder_;
    FakeHttpClient::Script script_;
    FakeHttpClient http_{loop_, script_};
    bool is_down_ = false;
    bool revoked_ = false;
    TokenSource logged_in_{clock_, http_, {folder_ / "token", "lab", folder_ / "key"}};
    TokenSource by_file_{clock_, http_, {folder_ / "token", "", {}}};
};

TEST_F(TokenSourceTest, LogsInAndThenRenewsWithTheRefreshTokenOfTheLogin) {
    EXPECT_EQ(ask(logged_in_), "a1");
    EXPECT_EQ(ask(logged_in_), "a2");
    EXPECT_EQ(ask(logged_in_), "a2");
    EXPECT_THAT(script_.targets(), ElementsAre(login, refresh, refresh));
}

TEST_F(TokenSourceTest, LogsInAgainWhenItsRefreshTokenIsNotTakenAnyMore) {
    EXPECT_EQ(ask(logged_in_), "a1");
    revoked_ = true;
    EXPECT_EQ(ask(logged_in_), "a1");
    EXPECT_THAT(script_.targets(), ElementsAre(login, refresh, login));
}

TEST_F(TokenSourceTest, KeepsItsRefreshTokenWhenTheServerIsAway) {
    EXPECT_EQ(ask(logged_in_), "a1");
    is_down_ = true;
    EXPECT_EQ(ask(logged_in_), "down");
    is_down_ = false;
    EXPECT_EQ(ask(logged_in_), "a2");
}

TEST_F(TokenSourceTest, LogsInWithAKeyThatCameLater) {
    folder_.write("key", "wrong");
    EXPECT_THAT(ask(logged_in_), AllOf(HasSubstr("cannot log in as lab"), HasSubstr("401"), Not(HasSubstr("wrong"))));
    EXPECT_FALSE(logged_in_.has_changed());
    folder_.write("key", "k3y");
    EXPECT_TRUE(logged_in_.has_changed());
    EXPECT_EQ(ask(logged_in_), "a1");
}

TEST_F(TokenSourceTest, SaysWhatIsWrongWithTheKeyFile) {
    folder_.write("key", "");
    EXPECT_THAT(ask(logged_in_), AllOf(HasSubstr("key"), HasSubstr("is empty")));
    std::filesystem::remove(folder_ / "key");
    EXPECT_THAT(ask(logged_in_), AllOf(HasSubstr("cannot read the key for the login"), HasSubstr("No such file")));
    EXPECT_TRUE(script_.requests.empty());
}

TEST_F(TokenSourceTest, ShowsNoneOfItsCredentialsThatTheServerRepeats) {
    folder_.write("key", "wrong-key");
    EXPECT_THAT(ask(logged_in_), AllOf(HasSubstr("401"), HasSubstr("**"), Not(HasSubstr("bGFiOn"))));
    folder_.write("token", R"({"refresh_token": "swordfish"})");
    EXPECT_THAT(ask(by_file_), AllOf(HasSubstr("401"), HasSubstr("**"), Not(HasSubstr("swordfish"))));
}

TEST_F(TokenSourceTest, ReadsTheTokenFileEachTime) {
    EXPECT_EQ(ask(by_file_), "anonymous");
    folder_.write("token", R"({"refresh_token": "r0"})");
    EXPECT_TRUE(by_file_.has_changed());
    EXPECT_THAT(ask(by_file_), HasSubstr("the server answered 401 to POST /v1/oauth2/refresh"));
    folder_.write("token", R"({"refresh_token": "r1"})");
    EXPECT_EQ(ask(by_file_), "a2");
    EXPECT_FALSE(by_file_.has_changed());
}

}  // namespace
}  // namespace trebuchet
