#include "tests/common/http/http_client_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using Connection = LoopbackServer::Connection;
using Kind = HttpFailure::Kind;

/// Reads a request, sends this and closes.
LoopbackServer::Script once(const std::string& answer) {
    return [answer](Connection& connection) {
        if (connection.read_request()) connection.send(answer);
    };
}

std::ptrdiff_t count_of(const LoopbackServer& server, const std::string& line) {
    const auto requests = server.requests();
    return std::count_if(requests.begin(), requests.end(),
                         [&](const ReceivedRequest& request) { return request.line() == line; });
}

class HttpFailures : public HttpClientTest {
  protected:
    static HttpRequest impatient(HttpRequest request) {
        request.timeout = milliseconds(60);
        return request;
    }
};

TEST_F(HttpFailures, NobodyListens) {
    HttpOptions options;
    options.origin = LoopbackServer(always("")).origin();
    connect(options);
    const auto answer = call(get("/v1/x?secret=1"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::unreachable);
    EXPECT_THAT(answer.error().message, HasSubstr("GET " + options.origin + "/v1/x: "));
    EXPECT_THAT(answer.error().message, Not(HasSubstr("secret")));
}

TEST_F(HttpFailures, TheConnectionIsClosedWithoutAnAnswer) {
    const LoopbackServer server(once(""));
    connect(server);
    const auto answer = call(post("/v1/x", "s3cret"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::broken);
    EXPECT_THAT(answer.error().message, HasSubstr("POST " + server.origin() + "/v1/x: "));
    EXPECT_THAT(answer.error().message, Not(HasSubstr("s3cret")));
    EXPECT_EQ(server.requests().size(), 1U);
}

/// Answers all but /once, after which it closes the connection.
void answer_all_but_once(Connection& connection) {
    while (const auto request = connection.read_request()) {
        if (request->line().find(" /once ") != std::string::npos) return;
        connection.send(ok("x"));
    }
}

TEST_F(HttpFailures, ARequestWithOnceIsNeverSentTwice) {
    const LoopbackServer server(answer_all_but_once);
    connect(server);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(body_of(get("/other")), "x");
        for (auto request : {get("/once"), post("/once", "y")}) {
            EXPECT_EQ(body_of(post("/other", "y")), "x");
            request.once = true;
            EXPECT_EQ(failure_of(request), Kind::broken);
            request.fresh_connection = true;
            EXPECT_EQ(failure_of(request), Kind::broken);
        }
        EXPECT_EQ(count_of(server, "GET /once HTTP/1.1"), 2 * (i + 1));
        EXPECT_EQ(count_of(server, "POST /once HTTP/1.1"), 2 * (i + 1));
    }
}

TEST_F(HttpFailures, ARequestWithoutOnceIsSentTwiceAtMost) {
    const LoopbackServer server(answer_all_but_once);
    connect(server);
    EXPECT_EQ(body_of(get("/other")), "x");
    EXPECT_EQ(failure_of(get("/once")), Kind::broken);
    EXPECT_EQ(count_of(server, "GET /once HTTP/1.1"), 2);
}

TEST_F(HttpFailures, ARequestWithOnceUsesAConnectionThatWasJustUsed) {
    const LoopbackServer server(always(ok("x")));
    connect(server);
    for (auto request : {get("/a"), post("/b", "y"), get("/c")}) {
        request.once = true;
        EXPECT_EQ(body_of(std::move(request)), "x");
    }
    EXPECT_EQ(server.connections(), 1U);
}

TEST_F(HttpFailures, ARequestWithOnceUsesNoConnectionThatWasIdleForLong) {
    const LoopbackServer server(always(ok("x")));
    HttpOptions options;
    options.origin = server.origin();
    options.once_idle_limit = milliseconds(0);
    connect(std::move(options));
    EXPECT_EQ(body_of(get("/x")), "x");
    EXPECT_EQ(body_of(get("/x")), "x");
    EXPECT_EQ(server.connections(), 1U);
    auto request = post("/x", "y");
    request.once = true;
    EXPECT_EQ(body_of(std::move(request)), "x");
    EXPECT_EQ(server.connections(), 2U);
}

TEST_F(HttpFailures, AConnectionClosedWhileIdleFailsNoRequest) {
    const LoopbackServer server(once(ok("x")));
    connect(server);
    for (const bool only_once : {true, false, true}) {
        for (auto request : {get("/x"), post("/x", "y")}) {
            request.once = only_once;
            EXPECT_EQ(body_of(std::move(request)), "x");
            wait_a_little();  // for the server's FIN
        }
    }
    EXPECT_EQ(server.requests().size(), 6U);
}

TEST_F(HttpFailures, AnAnswerThatNobodyAskedForIsNotTheNextRequests) {
    const LoopbackServer server([](Connection& connection) {
        while (connection.read_request()) connection.send(ok("x") + ok("of nobody"));
    });
    connect(server);
    for (int i = 0; i < 3; ++i) {
        auto request = get("/x");
        request.once = true;
        EXPECT_EQ(body_of(std::move(request)), "x");
    }
}

TEST_F(HttpFailures, ASecondSendThatFailsDoesNotMeanThatTheFirstWasNotSent) {
    std::optional<LoopbackServer> server;
    server.emplace([&](Connection& connection) {
        while (const auto request = connection.read_request()) {
            if (request->line() == "GET /heard HTTP/1.1") {
                server->stop_listening();
                return;
            }
            connection.send(ok("x"));
        }
    });
    connect(*server);
    EXPECT_EQ(body_of(get("/x")), "x");
    EXPECT_EQ(failure_of(get("/heard")), Kind::broken);
    EXPECT_EQ(count_of(*server, "GET /heard HTTP/1.1"), 1);
}

TEST_F(HttpFailures, ATruncatedBodyIsAFailure) {
    const LoopbackServer server(once("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"));
    connect(server);
    EXPECT_EQ(failure_of(get("/x")), Kind::broken);
}

TEST_F(HttpFailures, ATruncatedChunkedBodyIsAFailure) {
    const LoopbackServer server(once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nshort"));
    connect(server);
    EXPECT_EQ(failure_of(get("/x")), Kind::broken);
}

TEST_F(HttpFailures, ATruncatedHeadIsAFailure) {
    const LoopbackServer server(once("HTTP/1.1 200 OK\r\nContent-Len"));
    connect(server);
    EXPECT_EQ(failure_of(get("/x")), Kind::broken);
}

TEST_F(HttpFailures, TheAnswerIsTooLong) {
    for (const std::string head : {"Content-Length: 1001", "Connection: close"}) {
        const LoopbackServer server(once("HTTP/1.1 200 OK\r\n" + head + "\r\n\r\n" + std::string(1001, 'x')));
        connect(server);
        auto request = get("/x");
        request.response_limit = 1000;
        const auto answer = call(std::move(request));
        ASSERT_FALSE(answer) << head;
        EXPECT_EQ(answer.error().kind, Kind::protocol);
        EXPECT_THAT(answer.error().message, HasSubstr("longer than the 1000 bytes"));
    }
}

TEST_F(HttpFailures, AChunkedAnswerIsTooLong) {
    const LoopbackServer server(once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                                     std::string(1001, 'x') + "\r\n0\r\n\r\n"));
    connect(server);
    auto request = get("/x");
    request.response_limit = 1000;
    EXPECT_EQ(failure_of(std::move(request)), Kind::protocol);
}

TEST_F(HttpFailures, AChunkOfNegativeSizeIsNotRead) {
    for (const auto* size : {"-1", "-2", "-ff", "-7fffffff"}) {
        const LoopbackServer server(once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(size) +
                                         "\r\nabcdef\r\n0\r\n\r\n"));
        connect(server);
        EXPECT_TRUE(failure_of(get("/x"))) << size;
    }
}

TEST_F(HttpFailures, AnInterimAnswerIsRefusedAndTheNextRequestGetsItsOwnAnswer) {
    const LoopbackServer server([](Connection& connection) {
        while (const auto request = connection.read_request()) {
            if (request->line() == "GET /interim HTTP/1.1") connection.send("HTTP/1.1 103 Early Hints\r\n\r\n");
            connection.send(ok(request->line()));
        }
    });
    connect(server);
    for (int i = 0; i < 2; ++i) {
        const auto answer = call(get("/interim"));
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().kind, Kind::protocol);
        EXPECT_THAT(answer.error().message, HasSubstr("answered 103"));
        EXPECT_EQ(body_of(get("/next")), "GET /next HTTP/1.1");
    }
}

TEST_F(HttpFailures, TheAnswerAfterAnInterimOneIsFetchedOnRequest) {
    const LoopbackServer server([](Connection& connection) {
        const auto request = connection.read_request();
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
        const auto next = connection.read_request();
        connection.send(ok("a job"));
        if (next) connection.send(ok("a health check"));
        connection.hold();
    });
    connect(server);
    auto request = get("/v1/job");
    request.fresh_connection = true;
    request.after_interim = "/v1/";
    EXPECT_EQ(body_of(std::move(request)), "a job");
    EXPECT_EQ(server.requests().size(), 2U);
    EXPECT_EQ(server.connections(), 1U);
}

TEST_F(HttpFailures, AnInterimAnswerWithoutAFinalOneIsBoundedInTime) {
    const LoopbackServer server([](Connection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 102 Processing\r\n\r\n");
        connection.hold();
    });
    connect(server);
    auto request = impatient(get("/v1/job"));
    request.fresh_connection = true;
    request.after_interim = "/v1/";
    EXPECT_EQ(failure_of(std::move(request)), Kind::timed_out);
}

TEST_F(HttpFailures, TheAnswerIsNotHttp) {
    for (const std::string& garbage :
         {std::string("SSH-2.0-OpenSSH\r\n\r\n"), std::string("\0\1\2\3\r\n\r\n", 8), std::string("\r\n\r\n\r\n\r\n"),
          std::string("HTTP/1.1\r\n\r\n"), std::string("HTTP/1.1 abc OK\r\n\r\n"),
          std::string("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx"),
          std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc")}) {
        const LoopbackServer server(once(garbage));
        connect(server);
        const auto answer = call(impatient(get("/x")));
        if (answer) {
            ADD_FAILURE() << garbage << " gave " << answer->status << " " << answer->body;
        }
    }
}

TEST_F(HttpFailures, NoAnswerComes) {
    const LoopbackServer server([](Connection& connection) {
        while (const auto request = connection.read_request()) {
            if (request->line() == "GET /silent HTTP/1.1") return connection.hold();
            connection.send(ok("x"));
        }
    });
    connect(server);
    EXPECT_EQ(body_of(get("/x")), "x");
    const auto answer = call(impatient(get("/silent")));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::timed_out);
    EXPECT_THAT(answer.error().message, HasSubstr("/silent: no answer within 60 ms"));
    EXPECT_EQ(body_of(get("/x")), "x");
}

TEST_F(HttpFailures, ASilentServerDoesNotDelayOtherRequests) {
    const LoopbackServer server([](Connection& connection) {
        while (const auto request = connection.read_request()) {
            if (request->line() == "GET /silent HTTP/1.1") return connection.hold();
            connection.send(ok("x"));
        }
    });
    connect(server);
    for (int i = 0; i < 8; ++i) client_->send(get("/silent"), [](const HttpResult&) {});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(body_of(get("/x")), "x");
}

TEST_F(HttpFailures, ABodyThatTricklesInIsBoundedInTimeAsAWhole) {
    std::atomic<bool> over{false};
    const LoopbackServer server([&](Connection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 5000 && !over; ++i) connection.send("1\r\nx\r\n");
        connection.hold();
    });
    connect(server);
    EXPECT_EQ(failure_of(impatient(get("/x"))), Kind::timed_out);
    over = true;
}

TEST_F(HttpFailures, AHugeHeadIsRefused) {
    for (const std::size_t size : {70'000U, 1'000'000U}) {
        const LoopbackServer server(once(ok("x", "X-Long: " + std::string(size, 'a') + "\r\n")));
        connect(server);
        const auto answer = call(get("/x"));
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().kind, Kind::protocol);
        EXPECT_THAT(answer.error().message, HasSubstr("at most 65536 are accepted"));
        const LoopbackServer sane(always(ok("y", "X-Long: " + std::string(60'000, 'a') + "\r\n")));
        connect(sane);
        EXPECT_EQ(body_of(get("/x")), "y");
    }
}

#ifdef TREBUCHET_WIPING_NEW
TEST_F(HttpFailures, AnEndlessHeadOrChunkIsGivenUp) {
    for (const std::string start :
         {"HTTP/1.1 200 OK\r\nX-Long: ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"}) {
        const LoopbackServer server([&](Connection& connection) {
            connection.read_request();
            connection.send(start);
            while (connection.send(std::string(100'000, 'a'))) continue;
        });
        connect(server);
        const auto answer = call(get("/x"));
        ASSERT_FALSE(answer) << start;
        EXPECT_EQ(answer.error().kind, Kind::protocol);
        EXPECT_THAT(answer.error().message, HasSubstr("longer than accepted"));
    }
}
#endif

TEST_F(HttpFailures, AnEndlessHeadIsBoundedInTime) {
    const LoopbackServer server([](Connection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 100; ++i) connection.send("X-More: " + std::string(1000, 'a') + "\r\n");
        connection.hold();
    });
    connect(server);
    EXPECT_EQ(failure_of(impatient(get("/x"))), Kind::timed_out);
}

TEST_F(HttpFailures, AnInvalidTargetIsAFailure) {
    const LoopbackServer server(always(ok("x")));
    connect(server);
    EXPECT_EQ(failure_of(get("/v1/a b\r\nX: y")), Kind::unreachable);
    EXPECT_EQ(server.connections(), 0U);
}

TEST(HttpOptionsCheck, NamesWhatCannotBeUsed) {
    EventLoop loop;
    const auto problem_of = [&](const HttpOptions& options) {
        const auto client = HttpClient::make(loop, options);
        return client ? std::string("no problem") : client.error().message();
    };
    EXPECT_THAT(problem_of({"http://[::1]:8000", {}, {}, {}, {}}), HasSubstr("is an IPv6 literal"));
    EXPECT_THAT(problem_of({"http://a b", {}, {}, {}, {}}),
                HasSubstr("the server's address http://a b cannot be used"));
    EXPECT_THAT(problem_of({"https://h", "/nonexistent/ca.pem", {}, {}, {}}), HasSubstr("/nonexistent/ca.pem"));
    EXPECT_THAT(problem_of({"https://h", {}, "/nonexistent/cert.pem", "/nonexistent/key.pem", {}}),
                HasSubstr("/nonexistent/cert.pem"));
}

}  // namespace
}  // namespace trebuchet
