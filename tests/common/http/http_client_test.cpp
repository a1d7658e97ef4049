#include "tests/common/http/http_client_fixture.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Connection = LoopbackServer::Connection;

TEST_F(HttpClientTest, GetsAnAnswer) {
    const LoopbackServer server(always(ok("hello")));
    connect(server);
    auto request = get("/v1/job?queue=a%20b&queue=c");
    request.headers.emplace_back("Authorization", "Bearer t");
    EXPECT_EQ(body_of(std::move(request)), "hello");
    const auto received = server.requests().at(0);
    EXPECT_EQ(received.line(), "GET /v1/job?queue=a%20b&queue=c HTTP/1.1");
    EXPECT_EQ(received.header("Host"), "127.0.0.1:" + std::to_string(server.port()));
    EXPECT_EQ(received.header("Authorization"), "Bearer t");
    EXPECT_EQ(received.header("User-Agent"), "agent/1");
}

TEST_F(HttpClientTest, PostsABody) {
    const LoopbackServer server(always(ok("")));
    connect(server);
    const std::string body = R"({"log_data": "é\n"})";
    EXPECT_EQ(body_of(post("/v1/result/x", body)), "");
    const auto received = server.requests().at(0);
    EXPECT_EQ(received.line(), "POST /v1/result/x HTTP/1.1");
    EXPECT_EQ(received.header("Content-Type"), "application/json");
    EXPECT_EQ(received.body, body);
}

TEST_F(HttpClientTest, PostsAnEmptyBodyWithItsLength) {
    const LoopbackServer server(always(ok("")));
    connect(server);
    EXPECT_EQ(body_of(post("/x", "")), "");
    EXPECT_EQ(server.requests().at(0).header("Content-Length"), "0");
}

TEST_F(HttpClientTest, ReturnsAnyStatus) {
    for (const int status : {201, 204, 304, 400, 401, 403, 404, 413, 422, 500, 503}) {
        const LoopbackServer server(
            always("HTTP/1.1 " + std::to_string(status) + " Whatever\r\nContent-Length: 0\r\n\r\n"));
        connect(server);
        const auto answer = call(get("/x"));
        ASSERT_TRUE(answer) << status << answer.error().message;
        EXPECT_EQ(answer->status, status);
        EXPECT_THAT(answer->body, IsEmpty());
    }
}

TEST_F(HttpClientTest, DoesNotFollowRedirects) {
    const LoopbackServer elsewhere(always(ok("elsewhere")));
    const LoopbackServer server(
        always("HTTP/1.1 302 Found\r\nLocation: " + elsewhere.origin() + "/x\r\nContent-Length: 0\r\n\r\n"));
    connect(server);
    const auto answer = call(get("/x"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 302);
    EXPECT_EQ(elsewhere.connections(), 0U);
}

TEST_F(HttpClientTest, ReadsAChunkedBody) {
    const LoopbackServer server(
        always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"));
    connect(server);
    EXPECT_EQ(body_of(get("/x")), "abcdefg");
    EXPECT_EQ(body_of(get("/x")), "abcdefg");
}

TEST_F(HttpClientTest, ReadsALongBodyThatIsOneChunk) {
    const std::string body(12U << 20U, 'x');
    const LoopbackServer server(
        always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc00000\r\n" + body + "\r\n0\r\n\r\n"));
    connect(server);
    auto request = get("/x");
    request.response_limit = 16U << 20U;
    EXPECT_EQ(body_of(std::move(request)).size(), body.size());
}

TEST_F(HttpClientTest, ReadsABodyThatEndsWithTheConnection) {
    const LoopbackServer server([](Connection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it");
    });
    connect(server);
    EXPECT_EQ(body_of(get("/x")), "all of it");
}

TEST_F(HttpClientTest, ReturnsABodyUnchanged) {
    std::string body;
    for (int i = 0; i < 300'000; ++i) body += static_cast<char>(i * 7);
    const LoopbackServer server(always(ok(body)));
    connect(server);
    EXPECT_TRUE(body_of(get("/x")) == body);
}

TEST_F(HttpClientTest, KeepsItsConnections) {
    const LoopbackServer server(always(ok("x")));
    connect(server);
    for (int i = 0; i < 30; ++i) EXPECT_EQ(body_of(post("/x", "y")), "x");
    EXPECT_LT(server.connections(), 10U);  // the library may not have put one back yet when the next is asked for
}

TEST_F(HttpClientTest, OpensANewConnectionAfterDroppingTheOldOnes) {
    const LoopbackServer server(always(ok("x")));
    connect(server);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(body_of(get("/x")), "x");
    const auto before = server.connections();
    client_->drop_connections();
    EXPECT_EQ(body_of(get("/x")), "x");
    EXPECT_EQ(server.requests().back().connection, before);
}

TEST_F(HttpClientTest, OpensANewConnectionForARequestThatAsksForIt) {
    const LoopbackServer server(always(ok("x")));
    connect(server);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(body_of(get("/x")), "x");
    const auto before = server.connections();
    auto request = get("/fresh");
    request.fresh_connection = true;
    EXPECT_EQ(body_of(std::move(request)), "x");
    EXPECT_EQ(server.requests().back().connection, before);
    EXPECT_EQ(body_of(get("/x")), "x");
    EXPECT_EQ(server.connections(), before + 1);
}

TEST_F(HttpClientTest, RunsManyRequestsAtOnce) {
    const LoopbackServer server(always(ok("x")));
    connect(server);
    int answered = 0;
    for (int i = 0; i < 20; ++i) {
        client_->send(get("/" + std::to_string(i)), [&](const HttpResult& answer) {
            EXPECT_TRUE(answer && answer->body == "x");
            ++answered;
        });
    }
    loop_.run_until([&] { return answered == 20; });
}

TEST_F(HttpClientTest, ReturnsCookiesWithoutAttributes) {
    const LoopbackServer server(always(ok("", "Set-Cookie: agent_name=rpi4; HttpOnly; Path=/; SameSite=Strict\r\n")));
    connect(server);
    EXPECT_THAT(call(get("/x"))->cookies, ElementsAre("agent_name=rpi4"));
}

TEST_F(HttpClientTest, ReturnsEveryCookie) {
    const LoopbackServer server(always(ok("",
                                          "Set-Cookie: route=\"a,b\"; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/\r\n"
                                          "Set-Cookie: agent_name=rpi4; HttpOnly\r\nSet-Cookie: last=1\r\n")));
    connect(server);
    EXPECT_THAT(call(get("/x"))->cookies, ElementsAre("route=\"a,b\"", "agent_name=rpi4", "last=1"));
}

TEST_F(HttpClientTest, StreamsAFileBetweenTwoTexts) {
    const TemporaryFolder folder;
    std::string content;
    for (int i = 0; i < 1'000'000; ++i) content += static_cast<char>(i * 31);
    folder.write("file", content);
    const LoopbackServer server(always(ok("x")));
    connect(server);
    auto request = post("/upload", "");
    request.content_type = "multipart/form-data; boundary=b";
    request.file = FileBody{"before", folder / "file", "after"};
    EXPECT_EQ(body_of(std::move(request)), "x");
    const auto received = server.requests().at(0);
    EXPECT_EQ(received.header("Content-Type"), "multipart/form-data; boundary=b");
    EXPECT_EQ(received.header("Content-Length"), "1000011");
    EXPECT_TRUE(received.body == "before" + content + "after");
}

TEST_F(HttpClientTest, StreamsAnEmptyFile) {
    const TemporaryFolder folder;
    folder.write("file", "");
    const LoopbackServer server(always(ok("x")));
    connect(server);
    auto request = post("/upload", "");
    request.file = FileBody{"before", folder / "file", "after"};
    EXPECT_EQ(body_of(std::move(request)), "x");
    EXPECT_EQ(server.requests().at(0).body, "beforeafter");
}

TEST_F(HttpClientTest, AFileThatCannotBeReadIsAFailureAndNothingIsSent) {
    const LoopbackServer server(always(ok("x")));
    connect(server);
    auto request = post("/upload", "");
    request.file = FileBody{"", "/nonexistent/file", ""};
    const auto answer = call(std::move(request));
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().message, HasSubstr("cannot read /nonexistent/file"));
    EXPECT_EQ(server.connections(), 0U);
}

TEST_F(HttpClientTest, ABodyOfExactlyTheLimitIsAccepted) {
    const LoopbackServer server(always(ok(std::string(1000, 'x'))));
    connect(server);
    auto request = get("/x");
    request.response_limit = 1000;
    EXPECT_EQ(body_of(std::move(request)).size(), 1000U);
}

TEST_F(HttpClientTest, AnAnswerThatIsTooLongCostsNoTime) {
    std::atomic<bool> gone{false};
    const LoopbackServer server([&](Connection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
        while (connection.send(std::string(100'000, 'x'))) continue;
        gone = true;
    });
    connect(server);
    EXPECT_EQ(call(get("/x")).error().kind, HttpFailure::Kind::protocol);
    wait_until([&] { return gone.load(); });
}

TEST_F(HttpClientTest, CutsALongAnswerOnRequest) {
    const LoopbackServer server(always(ok("0123456789" + std::string(10'000'000, 'x'))));
    connect(server);
    auto request = get("/x");
    request.response_limit = 10;
    request.cut_response = true;
    EXPECT_EQ(body_of(std::move(request)), "0123456789");
    EXPECT_EQ(call(get("/x")).error().kind, HttpFailure::Kind::protocol);
}

TEST_F(HttpClientTest, CallsNobodyAfterItsDestruction) {
    const LoopbackServer server([](Connection& connection) {
        connection.read_request();
        connection.hold();
    });
    connect(server);
    bool called = false;
    client_->send(get("/x"), [&](const HttpResult&) { called = true; });
    wait_until([&] { return !server.requests().empty(); });
    client_.reset();
    wait_a_little();
    EXPECT_FALSE(called);
}

TEST_F(HttpClientTest, CanBeDestroyedByTheFirstOfManyAnswers) {
    const LoopbackServer server(always(ok("x")));
    connect(server);
    int called = 0;
    for (int i = 0; i < 20; ++i) {
        client_->send(get("/x"), [&](const HttpResult&) {
            ++called;
            while (server.requests().size() < 20) std::this_thread::yield();
            client_.reset();
        });
    }
    loop_.run_until([&] { return called > 0; });
    wait_a_little();
    EXPECT_EQ(called, 1);
}

}  // namespace
}  // namespace trebuchet
