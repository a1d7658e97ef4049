#include "agent/api/api_client.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;

constexpr auto refresh = "/v1/oauth2/refresh";
constexpr double full_waits = 1;  ///< no jitter

/// A server that hands out access tokens "access-1", "access-2", … for the refresh token "good", and takes only the
/// last one.
class ApiClientTest : public testing::Test {
  protected:
    ApiClientTest() {
        folder_.write("token", R"({"refresh_token": "good"})");
        script_.answer = [this](const HttpRequest& request) { return answer(request); };
    }

    HttpResult answer(const HttpRequest& request) {
        if (request.target == refresh) {
            if (refresh_status_ != 200) return HttpResponse{refresh_status_, {}, WipedString("no")};
            if (request.body != WipedString(R"({"refresh_token":"good"})")) return HttpResponse{400, {}, {}};
            ++handed_out_;
            return HttpResponse{
                200, {}, WipedString("{\"access_token\": \"access-" + std::to_string(handed_out_) + "\"}")};
        }
        const bool trusted =
            handed_out_ > 0 && header_of(request, "Authorization") == "Bearer access-" + std::to_string(handed_out_);
        return HttpResponse{trusted ? 200 : refusal_status_, cookies_, WipedString(refusal_body_)};
    }

    int status_of_call(const std::string& target = "/v1/x") {
        HttpRequest request;
        request.target = target;
        const auto result = api_.call(std::move(request));
        return result ? result->status : -1;
    }

    std::vector<int> statuses_of_calls_at_once(std::size_t count) {
        std::vector<int> statuses;
        for (std::size_t i = 0; i < count; ++i) {
            HttpRequest request;
            request.target = "/v1/" + std::to_string(i);
            api_.send(std::move(request), [&](const HttpResult& result) { statuses.push_back(result->status); });
        }
        loop_.run_until([&] { return statuses.size() == count; });
        return statuses;
    }

    EventLoop loop_;
    FakeClock clock_;
    TemporaryFolder folder_;
    FakeHttpClient::Script script_;
    int handed_out_ = 0;
    int refresh_status_ = 200;
    int refusal_status_ = 401;
    std::string refusal_body_;
    std::vector<std::string> cookies_;
    ApiClient api_{loop_, clock_, std::make_unique<FakeHttpClient>(loop_, script_), {folder_ / "token", "", {}}, [] {
                       return full_waits;
                   }};
};

TEST_F(ApiClientTest, GetsAnAccessTokenBeforeTheFirstCallAndKeepsIt) {
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_THAT(script_.targets(), ElementsAre(refresh, "/v1/x", "/v1/x"));
    EXPECT_EQ(header_of(script_.requests[0], "Authorization"), "none");
}

TEST_F(ApiClientTest, RenewsWhenFourFifthsOfTheTokensLifeAreOver) {
    EXPECT_EQ(status_of_call(), 200);
    clock_.advance(seconds(479));
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(handed_out_, 1);
    clock_.advance(seconds(1));
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(handed_out_, 2);
}

TEST_F(ApiClientTest, RenewsAfterARefusalAndSendsTheCallAgain) {
    for (const int status : {401, 403}) {
        refusal_status_ = status;
        EXPECT_EQ(status_of_call(), 200);
        const auto before = handed_out_;
        ++handed_out_;  // the server forgets what it handed out, as after a rotation of its key
        clock_.advance(seconds(10));
        EXPECT_EQ(status_of_call(), 200) << status;
        EXPECT_EQ(handed_out_, before + 2);
    }
}

TEST_F(ApiClientTest, ARefusalOfAFreshTokenIsTheAnswer) {
    script_.answer = [this](const HttpRequest& request) {
        return request.target == refresh ? answer(request) : HttpResult(HttpResponse{403, {}, {}});
    };
    EXPECT_EQ(status_of_call(), 403);
    EXPECT_EQ(status_of_call(), 403);
    EXPECT_EQ(handed_out_, 1);
    clock_.advance(seconds(6));
    EXPECT_EQ(status_of_call(), 403);
    EXPECT_EQ(handed_out_, 2);
}

TEST_F(ApiClientTest, GoesOnAnonymousWithoutATokenFileAndTakesOneThatComesLater) {
    std::filesystem::remove(folder_ / "token");
    EXPECT_EQ(status_of_call(), 401);
    EXPECT_THAT(script_.targets(), ElementsAre("/v1/x"));
    EXPECT_EQ(header_of(script_.requests[0], "Authorization"), "none");
    folder_.write("token", R"({"refresh_token": "good"})");
    clock_.advance(seconds(6));
    EXPECT_EQ(status_of_call(), 200);
}

TEST_F(ApiClientTest, RecoversWhenTheServerWasDownAtTheStart) {
    bool down = true;
    script_.answer = [&](const HttpRequest& request) {
        if (!down) return answer(request);
        return HttpResult(tl::unexpected(HttpFailure{HttpFailure::Kind::unreachable, "down"}));
    };
    EXPECT_EQ(status_of_call(), -1);
    down = false;
    clock_.advance(seconds(6));
    EXPECT_EQ(status_of_call(), 200);
}

TEST_F(ApiClientTest, ReadsTheTokenFileAtEachRenewal) {
    EXPECT_EQ(status_of_call(), 200);
    folder_.write("token", R"({"refresh_token": "rotated"})");
    clock_.advance(seconds(500));
    EXPECT_EQ(status_of_call(), 200);  // the rotated one is refused, the access token still counts
    EXPECT_EQ(script_.requests[2].body, WipedString(R"({"refresh_token":"rotated"})"));
}

TEST_F(ApiClientTest, WhenARenewalFailsTheOldTokenIsUsedOnAndRenewingPauses) {
    EXPECT_EQ(status_of_call(), 200);
    refresh_status_ = 500;
    clock_.advance(seconds(480));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(status_of_call(), 200);
    EXPECT_THAT(script_.targets(), ElementsAre(refresh, "/v1/x", refresh, "/v1/x", "/v1/x", "/v1/x"));
    refresh_status_ = 200;
    clock_.advance(seconds(6));
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(handed_out_, 2);
}

TEST_F(ApiClientTest, ACorruptTokenFileIsLikeNone) {
    folder_.write("token", "garbage");
    EXPECT_EQ(status_of_call(), 401);
    EXPECT_THAT(script_.targets(), ElementsAre("/v1/x"));
}

TEST_F(ApiClientTest, AFileThatIsGoneForAMomentTakesNoGoodTokenAway) {
    EXPECT_EQ(status_of_call(), 200);
    std::filesystem::remove(folder_ / "token");
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(header_of(script_.requests.back(), "Authorization"), "Bearer access-1");
    clock_.advance(seconds(599));
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(api_.token_problem(), "");
    clock_.advance(seconds(1));
    EXPECT_THAT(api_.token_problem(), testing::HasSubstr("no token file"));
    clock_.advance(seconds(60));
    EXPECT_EQ(status_of_call(), 401) << "it expired";
    folder_.write("token", R"({"refresh_token": "good"})");
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(api_.token_problem(), "");
}

TEST_F(ApiClientTest, ATokenThatIsRefusedIsDroppedWithItsFile) {
    EXPECT_EQ(status_of_call(), 200);
    std::filesystem::remove(folder_ / "token");
    ++handed_out_;  // the server forgets what it handed out
    EXPECT_EQ(status_of_call(), 401);
    EXPECT_THAT(api_.token_problem(), testing::HasSubstr("no token file"));
    clock_.advance(seconds(6));
    EXPECT_EQ(status_of_call(), 401);
    EXPECT_EQ(header_of(script_.requests.back(), "Authorization"), "none");
    EXPECT_THAT(api_.token_problem(), testing::HasSubstr("no token file"));
}

TEST_F(ApiClientTest, AHalfWrittenFileIsAProblemOnlyOnceTheTokenIsNoGood) {
    EXPECT_EQ(status_of_call(), 200);
    folder_.write("token", R"({"refresh_tok)");
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(api_.token_problem(), "");
    clock_.advance(seconds(600));
    EXPECT_EQ(status_of_call(), 200) << "it is the server that says when a token is too old";
    EXPECT_THAT(api_.token_problem(), testing::HasSubstr("contains no token"));
    folder_.write("token", R"({"refresh_token": "good"})");
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(api_.token_problem(), "");
}

TEST_F(ApiClientTest, ARevokedTokenIsAProblem) {
    refresh_status_ = 400;
    EXPECT_EQ(status_of_call(), 401);
    EXPECT_THAT(api_.token_problem(), testing::HasSubstr("the server answered 400"));
}

TEST_F(ApiClientTest, ShowsNoAccessTokenThatTheServerRepeats) {
    refusal_status_ = 500;
    refusal_body_ = "who is access-1?";
    EXPECT_EQ(status_of_call(), 200);
    ++handed_out_;
    HttpRequest request;
    request.target = "/v1/x";
    const auto answer = api_.call(std::move(request));
    EXPECT_EQ(answer->status, 500);
    EXPECT_THAT(std::string(std::string_view(answer->body)), testing::StartsWith("who is **"));
}

TEST_F(ApiClientTest, AnAgentWithoutATokenFileIsAnonymousOnPurpose) {
    std::filesystem::remove(folder_ / "token");
    EXPECT_EQ(status_of_call(), 401);
    EXPECT_EQ(api_.token_problem(), "");
}

TEST_F(ApiClientTest, KnowsByHowMuchTheServersClockIsAhead) {
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_FALSE(api_.server_is_ahead());
    script_.answer = [](const HttpRequest&) {
        return HttpResponse{200, {}, {}, false, "Fri, 15 Jan 2027 09:00:00 GMT"};  // the clock stands at 08:00
    };
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(api_.server_is_ahead(), std::chrono::hours(1));
}

TEST_F(ApiClientTest, TakesATokenFileThatChangesAtOnce) {
    folder_.write("token", R"({"refresh_token": "bad"})");
    EXPECT_EQ(status_of_call(), 401);
    EXPECT_EQ(status_of_call(), 401);
    EXPECT_THAT(script_.targets(), ElementsAre(refresh, "/v1/x", "/v1/x"));
    folder_.write("token", R"({"refresh_token": "good"})");
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(handed_out_, 1);
}

TEST_F(ApiClientTest, AsksForATokenLessAndLessOftenWhileThatDoesNotHelp) {
    refresh_status_ = 500;
    std::vector<int> asked;
    for (int second = 0; second < 16; ++second) {
        EXPECT_EQ(status_of_call(), 401);
        const auto targets = script_.targets();
        asked.push_back(static_cast<int>(std::count(targets.begin(), targets.end(), refresh)));
        clock_.advance(seconds(1));
    }
    EXPECT_THAT(asked, ElementsAre(1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5));
    refresh_status_ = 200;
    clock_.advance(seconds(60));
    EXPECT_EQ(status_of_call(), 200);
}

TEST_F(ApiClientTest, FailsEveryCallOnceGivenUp) {
    EXPECT_EQ(status_of_call(), 200);
    script_.answer = [this](const HttpRequest& request) {
        api_.stop_now();
        return answer(request);
    };
    HttpRequest request;
    request.target = "/v1/x";
    EXPECT_TRUE(api_.call(request)) << "its answer was there";
    const auto sent = script_.requests.size();
    EXPECT_EQ(status_of_call(), -1);
    EXPECT_EQ(script_.requests.size(), sent);
}

TEST_F(ApiClientTest, AnAnswerThatMustNotBeLostHasAWhileOnceGivenUp) {
    EXPECT_EQ(status_of_call(), 200);
    HttpRequest request;
    request.target = "/v1/x";
    loop_.post([this] { api_.stop_now(); });
    EXPECT_TRUE(api_.call_to_its_end(request, seconds(60)));
    EXPECT_FALSE(api_.call_to_its_end(request, seconds(60))) << "it was not begun";
}

TEST_F(ApiClientTest, SeveralCallsShareOneRenewal) {
    EXPECT_THAT(statuses_of_calls_at_once(3), Each(200));
    EXPECT_EQ(handed_out_, 1);
}

TEST_F(ApiClientTest, SeveralRefusedCallsShareOneRenewal) {
    EXPECT_EQ(status_of_call(), 200);
    ++handed_out_;  // the server forgets what it handed out
    clock_.advance(seconds(10));
    EXPECT_THAT(statuses_of_calls_at_once(3), Each(200));
    EXPECT_EQ(handed_out_, 3);
}

TEST_F(ApiClientTest, ReturnsTheCookiesThatTheServerSet) {
    cookies_ = {"agent_name=rpi4"};
    EXPECT_EQ(status_of_call(), 200);
    cookies_ = {};
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(header_of(script_.requests[1], "Cookie"), "none");
    EXPECT_EQ(header_of(script_.requests[2], "Cookie"), "agent_name=rpi4");
}

TEST_F(ApiClientTest, KeepsOneCookiePerNameAndReturnsAll) {
    cookies_ = {"agent_name=old", "route=node-1"};
    EXPECT_EQ(status_of_call(), 200);
    cookies_ = {"agent_name=new"};
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(header_of(script_.requests[3], "Cookie"), "agent_name=new; route=node-1");
}

TEST_F(ApiClientTest, KeepsNoMoreThanSixteenCookies) {
    for (int i = 0; i < 100; ++i) cookies_.push_back("c" + std::to_string(i) + "=x");
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(status_of_call(), 200);
    const auto sent = header_of(script_.requests.back(), "Cookie");
    EXPECT_EQ(std::count(sent.begin(), sent.end(), '='), 16);
}

TEST_F(ApiClientTest, ACookieThatWouldEndItsHeaderIsDropped) {
    cookies_ = {"agent_name=a\r\nX-Evil: 1"};
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(status_of_call(), 200);
    EXPECT_EQ(header_of(script_.requests[2], "Cookie"), "none");
}

TEST_F(ApiClientTest, FailuresArriveAsTheyAre) {
    script_.answer = [](const HttpRequest&) {
        return HttpResult(tl::unexpected(HttpFailure{HttpFailure::Kind::timed_out, "GET /v1/x: late"}));
    };
    HttpRequest request;
    request.target = "/v1/x";
    const auto result = api_.call(std::move(request));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, HttpFailure::Kind::timed_out);
    EXPECT_EQ(result.error().message, "GET /v1/x: late");
}

}  // namespace
}  // namespace trebuchet
