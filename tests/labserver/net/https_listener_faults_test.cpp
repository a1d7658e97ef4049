#include "tests/labserver/net/listener_fixture.hpp"

namespace trebuchet::labserver {
namespace {

/// What a client sees of each fault.
class HttpsListenerFaults : public HttpsListenerTest {
  protected:
    void start_with(const std::vector<std::string>& specs, bool with_tls = false) {
        for (const auto& spec : specs) server.add_fault(*parse_fault(spec));
        start(with_tls);
    }

    /// Everything received until the server closes the connection.
    template <typename Stream>
    static std::string rest_of(Connection<Stream>& client) {
        std::string text;
        beast::error_code error;
        net::read(client.stream, net::dynamic_buffer(text), error);
        return text;
    }

    std::string answer_to_get() {
        auto client = plain();
        client.send_text("GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n");
        return rest_of(client);
    }

    unsigned status_of_get() { return plain().ask(request(http::verb::get, "/v1")).result_int(); }
    std::size_t hits() {
        const auto response = plain().ask(request(http::verb::get, "/control/faults"));
        return (*parse_json(response.body()))[0]["hits"];
    }
};

TEST_F(HttpsListenerFaults, CloseTheConnectionWithoutAnAnswer) {
    start_with({"close", "close-unread", "lose-answer"});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(answer_to_get(), "");
    EXPECT_EQ(status_of_get(), 200U);
}

TEST_F(HttpsListenerFaults, CloseTheConnectionWithoutATlsCloseMessage) {
    start_with({"close"}, true);
    auto client = encrypted();
    http::write(client.stream, request(http::verb::get, "/v1"));
    char byte = 0;
    beast::error_code error;
    net::read(client.stream, net::buffer(&byte, 1), error);
    EXPECT_EQ(error, net::ssl::error::stream_truncated);
}

TEST_F(HttpsListenerFaults, CloseWithoutReadingTheBody) {
    start_with({"close-unread POST /v1/job"});
    auto client = plain();
    client.send_text("POST /v1/job HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    EXPECT_EQ(rest_of(client), "");
}

TEST_F(HttpsListenerFaults, RefuseConnectionsForAWhile) {
    start_with({"refuse=3600000"});
    auto other = plain();
    EXPECT_EQ(other.ask(request(http::verb::get, "/control/faults")).result_int(), 200U);
    EXPECT_EQ(answer_to_get(), "");
    tcp::socket socket(io);
    beast::error_code error;
    socket.connect({net::ip::make_address("127.0.0.1"), listener->port()}, error);
    EXPECT_EQ(error, net::error::connection_refused);
    other.send_text("GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(rest_of(other), "") << "connections opened before are cut too";
}

TEST_F(HttpsListenerFaults, ListenAgainAfterThat) {
    start_with({"refuse=1"});
    EXPECT_EQ(answer_to_get(), "");
    tcp::socket socket(io);
    beast::error_code error = net::error::connection_refused;
    while (error == net::error::connection_refused) {
        socket = tcp::socket(io);
        socket.connect({net::ip::make_address("127.0.0.1"), listener->port()}, error);
    }
    EXPECT_FALSE(error);
    EXPECT_EQ(status_of_get(), 200U);
}

TEST_F(HttpsListenerFaults, DelayTheAnswerAndHoldUpNobodyElse) {
    start_with({"delay=3600000 GET /v1", "delay=1 GET /v1"});
    auto waiting = plain();
    http::write(waiting.stream, request(http::verb::get, "/v1"));
    while (hits() == 0) {
    }
    EXPECT_EQ(status_of_get(), 200U);
    EXPECT_EQ(status_of_get(), 200U);
    EXPECT_EQ(waiting.stream.available(), 0U);
}

TEST_F(HttpsListenerFaults, SendTheAnswerByteByByteAndGoOn) {
    start_with({"slow=1"}, true);
    auto client = encrypted();
    for (int i = 0; i < 2; ++i) EXPECT_EQ(client.ask(request(http::verb::get, "/v1")).result_int(), 200U);
}

TEST_F(HttpsListenerFaults, SendAnInterimAnswerAheadOfTheFinalOneAndGoOn) {
    start_with({"interim=103"});
    auto client = plain();
    EXPECT_EQ(client.ask(request(http::verb::get, "/v1")).result_int(), 103U);
    EXPECT_EQ(client.receive().result_int(), 200U);
    EXPECT_EQ(client.ask(request(http::verb::get, "/v1")).result_int(), 200U);
}

TEST_F(HttpsListenerFaults, SendAnInterimAnswerAndNothingMore) {
    start_with({"interim-only=102"});
    auto client = plain();
    EXPECT_EQ(client.ask(request(http::verb::get, "/v1")).result_int(), 102U);
    EXPECT_EQ(client.ask(request(http::verb::get, "/v1")).result_int(), 200U) << "the answer to the second request";
}

TEST_F(HttpsListenerFaults, TruncateTheBody) {
    start_with({"truncate=4"});
    const auto cut = answer_to_get();
    EXPECT_EQ(cut.find("HTTP/1.1 200"), 0U);
    const auto body = cut.substr(cut.find("\r\n\r\n") + 4);
    EXPECT_NE(cut.find("Content-Length: " + std::to_string(body.size() + 4) + "\r\n"), std::string::npos) << cut;
}

TEST_F(HttpsListenerFaults, SendGarbage) {
    start_with({"garbage=5000"});
    const auto answer = answer_to_get();
    EXPECT_EQ(answer.size(), 5000U);
    EXPECT_NE(answer.find("HTTP"), 0U);
}

TEST_F(HttpsListenerFaults, SendHugeHeaders) {
    start_with({"huge-headers=3000000"});
    auto client = plain();
    client.send_text("GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto answer = rest_of(client);
    EXPECT_GT(answer.size(), 3'000'000U);
    EXPECT_EQ(answer.find("HTTP/1.1 200"), 0U);
}

TEST_F(HttpsListenerFaults, SendHugeJson) {
    start_with({"huge-json=30000000 POST /v1/job"}, true);
    const auto response = encrypted().ask(request(http::verb::post, "/v1/job", R"({"job_queue":"q"})"));
    EXPECT_EQ(response.result_int(), 200U);
    EXPECT_GT(response.body().size(), 30'000'000U);
}

}  // namespace
}  // namespace trebuchet::labserver
