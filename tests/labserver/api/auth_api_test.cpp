#include "tests/labserver/api/server_fixture.hpp"
#include "tests/labserver/text/base64.hpp"

namespace trebuchet::labserver {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class AuthApi : public ServerTest {
  protected:
    Response log_in(const std::string& credentials) {
        Request request;
        request.method = "POST";
        request.target = "/v1/oauth2/token";
        request.headers["authorization"] = "Basic " + base64url(credentials);
        return server.handle(request);
    }
    Response refresh(const std::string& token) { return post("/v1/oauth2/refresh", {{"refresh_token", token}}); }
    Response ask_as_agent(const Sender& by) { return get("/v1/job?queue=q", by); }
    std::string refresh_token(const std::string& client_id) {
        return string_at(json_of(log_in(client_id + ":" + client_id + "-key")), "refresh_token");
    }
};

TEST_F(AuthApi, GivesBothTokensForTheRightSecretKey) {
    const auto response = log_in("rig:rig-key");
    ASSERT_EQ(response.status, 200);
    const auto tokens = json_of(response);
    EXPECT_EQ(tokens["token_type"], "Bearer");
    EXPECT_EQ(tokens["expires_in"], 600);
    EXPECT_EQ(tokens.size(), 4U);
    EXPECT_EQ(get("/v1/agents/data/a1", {string_at(tokens, "access_token")}).status, 404);
    EXPECT_EQ(refresh(string_at(tokens, "refresh_token")).status, 200);
}

TEST_F(AuthApi, RefusesBadCredentialsInPlainText) {
    for (const auto* credentials : {"rig:wrong", "rig:", "nobody:rig-key", "rig", "", ":"}) {
        const auto response = log_in(credentials);
        EXPECT_EQ(response.status, 401) << credentials;
        EXPECT_NE(response.content_type, "application/json");
    }
    EXPECT_EQ(send("POST", "/v1/oauth2/token").status, 401);
}

TEST_F(AuthApi, TakesASecretKeyWithAColon) {
    ASSERT_EQ(post("/control/clients", {{"c", {{"secret_key", "a:b"}}}}).status, 200);
    EXPECT_EQ(log_in("c:a:b").status, 200);
}

TEST_F(AuthApi, RefreshesAgainAndAgainWithTheSameToken) {
    const auto token = refresh_token("rig");
    for (int i = 0; i < 3; ++i) {
        const auto response = refresh(token);
        ASSERT_EQ(response.status, 200);
        const auto answer = json_of(response);
        EXPECT_EQ(answer["expires_in"], 600);
        EXPECT_EQ(answer["token_type"], "Bearer");
        EXPECT_FALSE(answer.contains("refresh_token"));
        EXPECT_EQ(ask_as_agent({string_at(answer, "access_token"), "agent_name=a1"}).status, 204);
    }
}

TEST_F(AuthApi, RefusesRefreshTokensThatAreUnknownExpiredOrRevoked) {
    EXPECT_EQ(refresh("nonsense").status, 400);
    EXPECT_FALSE(string_at(json_of(refresh("nonsense")), "message").empty());

    const auto revoked = refresh_token("rig");
    EXPECT_EQ(post("/v1/oauth2/revoke", {{"refresh_token", revoked}}, as("boss")).status, 403);
    EXPECT_EQ(post("/v1/oauth2/revoke", {{"refresh_token", revoked}}, as("root")).status, 200);
    EXPECT_EQ(post("/v1/oauth2/revoke", {{"refresh_token", revoked}}, as("root")).status, 400);
    EXPECT_EQ(refresh(revoked).status, 400);

    const auto expiring = refresh_token("rig");
    advance_clock(hours(6 * 24));
    EXPECT_EQ(refresh(expiring).status, 200);
    advance_clock(seconds(1));
    EXPECT_EQ(refresh(expiring).status, 400);
}

TEST_F(AuthApi, RefusesARefreshWithoutAToken) {
    for (const auto& body :
         {Json::object(), Json{{"refresh_token", ""}}, Json{{"refresh_token", 5}}, Json{{"token", "x"}}}) {
        EXPECT_EQ(post("/v1/oauth2/refresh", body).status, 422) << body;
    }
}

TEST_F(AuthApi, AnswersAnExpiredAccessTokenWith401) {
    const auto sender = as_agent();
    advance_clock(seconds(599));
    EXPECT_EQ(ask_as_agent(sender).status, 204);
    advance_clock(seconds(1));
    EXPECT_EQ(ask_as_agent(sender).status, 401);
    EXPECT_EQ(get(std::string("/v1/result/") + some_job_id, sender).status, 401);
}

TEST_F(AuthApi, AnswersATokenThatIsNotOursWith403) {
    auto token = as("rig").token;
    for (const auto& bad : {std::string("garbage"), std::string("a.b.c"), std::string("..."), token + "x",
                            token.substr(0, token.rfind('.')), "x" + token}) {
        EXPECT_EQ(ask_as_agent({bad, "agent_name=a1"}).status, 403) << bad;
    }
    ASSERT_EQ(send("POST", "/control/keys/rotate").status, 200);
    EXPECT_EQ(ask_as_agent({token, "agent_name=a1"}).status, 403);
    advance_clock(hours(1));
    EXPECT_EQ(ask_as_agent({token, "agent_name=a1"}).status, 403);
}

TEST_F(AuthApi, RefusesAnUnsignedToken) {
    const auto payload =
        R"({"exp":9999999999,"iat":1,"sub":"access_token","permissions":{"client_id":"root","role":"admin"}})";
    const auto unsigned_token = base64url(R"({"alg":"none"})") + "." + base64url(payload) + ".";
    EXPECT_EQ(get("/v1/agents/data", {unsigned_token}).status, 403);
}

TEST_F(AuthApi, KeepsRefreshTokensWhenTheKeyIsRotated) {
    const auto token = refresh_token("rig");
    ASSERT_EQ(send("POST", "/control/keys/rotate").status, 200);
    EXPECT_EQ(refresh(token).status, 200);
}

TEST_F(AuthApi, TreatsACallerWithoutATokenAsAContributor) {
    EXPECT_EQ(get("/v1/agents/data").status, 200);
    const auto response = ask_as_agent({});
    EXPECT_EQ(response.status, 403);
    EXPECT_NE(response.body.find("requires role: agent"), std::string::npos);
    EXPECT_EQ(post("/v1/agents/data/a1", {{"state", "waiting"}}).status, 403);
}

TEST_F(AuthApi, AsksForATokenWhenAnonymousAccessIsOff) {
    ASSERT_EQ(post("/control/settings", {{"anonymous", false}}).status, 200);
    EXPECT_EQ(get("/v1/agents/data").status, 401);
    EXPECT_EQ(ask_as_agent({}).status, 401);
    EXPECT_EQ(get("/v1/agents/data", as("bob")).status, 200);
    EXPECT_EQ(get("/v1").status, 200);
}

TEST_F(AuthApi, NamesTheRolesThatAnEndpointRequires) {
    const auto job_id = std::string(some_job_id);
    const Json fragment = {
        {"fragment_number", 0}, {"timestamp", "2026-01-01T00:00:00Z"}, {"phase", "test"}, {"log_data", ""}};
    for (const auto* who : {"root", "boss", "alice"}) {
        EXPECT_EQ(ask_as_agent(as(who)).status, 403);
        EXPECT_EQ(post("/v1/result/" + job_id, Json::object(), as(who)).status, 403);
        EXPECT_EQ(post("/v1/result/" + job_id + "/log/output", fragment, as(who)).status, 403);
        EXPECT_EQ(send("POST", "/v1/result/" + job_id + "/artifact", "x", as(who)).status, 403);
        EXPECT_EQ(get("/v1/job/" + job_id + "/attachments", as(who)).status, 403);
        EXPECT_EQ(post("/v1/job/" + job_id + "/events", Json::object(), as(who)).status, 403);
        EXPECT_EQ(post("/v1/agents/provision_logs/a1", Json::object(), as(who)).status, 403);
    }
    for (const auto* target : {"/v1/job/search", "/v1/agents/data", "/v1/agents/queues", "/v1/agents/images/q",
                               "/v1/queues/q/jobs", "/v1/queues/q/agents"}) {
        EXPECT_EQ(get(target, as("rig")).status, 403) << target;
    }
    for (const auto& target : {"/v1/job/" + job_id, "/v1/job/" + job_id + "/position",
                               "/v1/result/" + job_id + "/artifact", "/v1/result/" + job_id + "/log/output"}) {
        EXPECT_EQ(get(target, as("rig")).status, 403) << target;
    }
    EXPECT_EQ(post("/v1/job", {{"job_queue", "q"}}, as("rig")).status, 403);
    EXPECT_EQ(post("/v1/job/" + job_id + "/action", {{"action", "cancel"}}, as("rig")).status, 403);
}

TEST_F(AuthApi, ChecksTheRoleBeforeTheBody) {
    EXPECT_EQ(post("/v1/job", {{"nonsense", 1}}, as("rig")).status, 403);
    EXPECT_EQ(post(std::string("/v1/result/") + some_job_id, {{"nonsense", 1}}).status, 403);
}

TEST_F(AuthApi, AnswersGetV1) {
    EXPECT_EQ(get("/v1").status, 200);
    EXPECT_EQ(get("/v1/").status, 200);
    EXPECT_EQ(send("HEAD", "/v1").status, 200);
}

}  // namespace
}  // namespace trebuchet::labserver
