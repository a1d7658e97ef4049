#include "tests/labserver/net/listener_fixture.hpp"

namespace trebuchet::labserver {
namespace {

using namespace std::string_literals;

TEST_F(HttpsListenerTest, ServesOverTlsWithKeepAlive) {
    start(true);
    EXPECT_EQ(listener->url(), "https://127.0.0.1:" + std::to_string(listener->port()));
    auto client = encrypted();
    for (int i = 0; i < 3; ++i) {
        const auto response = client.ask(request(http::verb::get, "/v1"));
        EXPECT_EQ(response.result_int(), 200U);
        EXPECT_TRUE(response.keep_alive());
        EXPECT_NE(response.body().find("labserver"), std::string::npos);
    }
    const auto refused = client.ask(request(http::verb::post, "/v1/job", "{\"job_queue\": 5}"));
    EXPECT_EQ(refused.result_int(), 422U);
    EXPECT_EQ(refused[http::field::content_type], "application/json");
}

TEST_F(HttpsListenerTest, ServesPlainHttpWithoutACertificate) {
    start(false);
    EXPECT_EQ(listener->url(), "http://127.0.0.1:" + std::to_string(listener->port()));
    EXPECT_EQ(plain().ask(request(http::verb::get, "/v1/")).result_int(), 200U);
}

TEST_F(HttpsListenerTest, RefusesOldTls) {
    start(true);
    net::ssl::context old(net::ssl::context::tls_client);
    SSL_CTX_set_security_level(old.native_handle(), 0);
    SSL_CTX_set_min_proto_version(old.native_handle(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old.native_handle(), TLS1_1_VERSION);
    net::ssl::stream<tcp::socket> stream(connected(), old);
    beast::error_code error;
    stream.handshake(net::ssl::stream_base::client, error);
    EXPECT_TRUE(error);
}

TEST_F(HttpsListenerTest, SurvivesPlainHttpOnATlsPort) {
    start(true);
    auto client = plain();
    client.send_text("GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n");
    char byte = 0;
    beast::error_code error;
    while (!error) net::read(client.stream, net::buffer(&byte, 1), error);
    EXPECT_EQ(encrypted().ask(request(http::verb::get, "/v1")).result_int(), 200U);
}

TEST_F(HttpsListenerTest, ClosesWhenTheClientAsksForIt) {
    start(false);
    auto client = plain();
    auto message = request(http::verb::get, "/v1");
    message.keep_alive(false);
    EXPECT_FALSE(client.ask(message).keep_alive());
    EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpsListenerTest, AnswersPipelinedRequestsInOrder) {
    start(false);
    auto client = plain();
    client.send_text(
        "GET /v1 HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET /v1 HTTP/1.1\r\nHost: "
        "x\r\n\r\n");
    EXPECT_EQ(client.receive().result_int(), 200U);
    EXPECT_EQ(client.receive().result_int(), 404U);
    EXPECT_EQ(client.receive().result_int(), 200U);
}

TEST_F(HttpsListenerTest, SendsNoBodyAndNoLengthWith204) {
    start(false);
    auto client = plain();
    const auto id = "00000000-0000-4000-8000-000000000000"s;
    const auto response = client.ask(request(http::verb::get, "/v1/job/" + id));
    EXPECT_EQ(response.result_int(), 204U);
    EXPECT_EQ(response.count(http::field::content_length), 0U);
    EXPECT_EQ(client.ask(request(http::verb::get, "/v1")).result_int(), 200U);
}

TEST_F(HttpsListenerTest, AnswersHeadWithoutABody) {
    start(false);
    auto client = plain();
    http::write(client.stream, request(http::verb::head, "/v1"));
    http::response_parser<http::empty_body> parser;
    parser.skip(true);
    http::read(client.stream, client.buffer, parser);
    EXPECT_EQ(parser.get().result_int(), 200U);
    EXPECT_NE(parser.get()[http::field::content_length], "0");
    EXPECT_EQ(client.ask(request(http::verb::get, "/v1")).result_int(), 200U);
}

TEST_F(HttpsListenerTest, Answers413FromSixteenMebibytesOnAndTheClientReceivesIt) {
    start(true);
    const std::string most(16U * 1024 * 1024 - 1, ' ');
    EXPECT_EQ(encrypted().ask(request(http::verb::post, "/v1/job", most)).result_int(), 400U);
    EXPECT_EQ(encrypted().ask(request(http::verb::post, "/v1/job", most + " ")).result_int(), 413U);
    auto client = encrypted();
    const auto response = client.ask(request(http::verb::post, "/v1/job", most + most));
    EXPECT_EQ(response.result_int(), 413U);
    EXPECT_FALSE(response.keep_alive());
}

TEST_F(HttpsListenerTest, Answers413ToAChunkedBodyThatGetsTooLong) {
    start(false);
    auto client = plain();
    client.send_text("POST /v1/job HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const auto chunk = "100000\r\n" + std::string(0x100000, ' ') + "\r\n";
    for (int i = 0; i < 17; ++i) client.send_text(chunk);
    client.send_text("0\r\n\r\n");
    EXPECT_EQ(client.receive().result_int(), 413U);
}

TEST_F(HttpsListenerTest, TakesLargerUploads) {
    ASSERT_TRUE(server.add_clients({{"rig", {{"secret_key", "k"}, {"role", "agent"}}}}).has_value());
    start(true);
    auto client = encrypted();
    auto login = request(http::verb::post, "/v1/oauth2/token");
    login.set(http::field::authorization, "Basic cmlnOms=");
    const auto token = string_at(*parse_json(client.ask(login).body()), "access_token");
    auto upload = request(http::verb::post, "/v1/result/00000000-0000-4000-8000-000000000000/artifact");
    const std::string bytes(20U << 20U, '\x1f');
    upload.body() = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + bytes + "\r\n--b--\r\n";
    upload.set(http::field::content_type, "multipart/form-data; boundary=b");
    upload.set(http::field::authorization, "Bearer " + token);
    upload.prepare_payload();
    EXPECT_EQ(client.ask(upload).result_int(), 200U);
    EXPECT_EQ(client.ask(request(http::verb::get, "/v1/result/00000000-0000-4000-8000-000000000000/artifact")).body(),
              bytes);
}

TEST_F(HttpsListenerTest, Sends100ContinueToAClientThatExpectsIt) {
    start(false);
    auto client = plain();
    client.send_text(
        "POST /v1/job HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: "
        "17\r\n\r\n");
    std::string interim(25, '\0');
    net::read(client.stream, net::buffer(interim));
    EXPECT_EQ(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send_text("{\"job_queue\":\"q\"}");
    EXPECT_EQ(client.receive().result_int(), 200U);
}

TEST_F(HttpsListenerTest, RefusesATooLongBodyBeforeItIsSent) {
    start(false);
    auto client = plain();
    client.send_text("POST /v1/job HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n");
    EXPECT_EQ(client.receive().result_int(), 413U);
}

TEST_F(HttpsListenerTest, RefusesGarbage) {
    start(false);
    for (const auto& garbage :
         {"\x16\x03\x01garbage\r\n\r\n"s, "GET\r\n\r\n"s, "GET /v1 HTTP/9.9\r\n\r\n"s,
          "GET /v1 HTTP/1.1\r\nno colon\r\n\r\n"s, "POST /v1/job HTTP/1.1\r\nContent-Length: many\r\n\r\n"s,
          "POST /v1/job HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"s}) {
        auto client = plain();
        client.send_text(garbage);
        EXPECT_EQ(client.receive().result_int(), 400U) << garbage;
        client.stream.shutdown(tcp::socket::shutdown_send);
        EXPECT_TRUE(client.is_closed());
    }
    EXPECT_EQ(plain().ask(request(http::verb::get, "/v1")).result_int(), 200U);
}

TEST_F(HttpsListenerTest, RefusesHugeHeaders) {
    start(false);
    auto client = plain();
    client.send_text("GET /v1 HTTP/1.1\r\nX-Big: " + std::string(70'000, 'x') + "\r\n\r\n");
    EXPECT_EQ(client.receive().result_int(), 431U);
    EXPECT_EQ(plain().ask(request(http::verb::get, "/v1")).result_int(), 200U);
}

TEST_F(HttpsListenerTest, IsNotHeldUpByASlowClient) {
    start(true);
    auto slow_handshake = plain();
    auto slow_header = encrypted();
    slow_header.send_text("GET /v1 HTT");
    auto slow_body = encrypted();
    slow_body.send_text(
        "POST /v1/job HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"job_q");
    EXPECT_EQ(encrypted().ask(request(http::verb::get, "/v1")).result_int(), 200U);
    slow_header.send_text("P/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(slow_header.receive().result_int(), 200U);
    slow_body.send_text("ueue\":\"q\"}");
    EXPECT_EQ(slow_body.receive().result_int(), 200U);
}

TEST_F(HttpsListenerTest, SurvivesClientsThatGoAway) {
    start(true);
    for (int i = 0; i < 20; ++i) {
        plain().send_text("\x16\x03");
        auto client = encrypted();
        client.send_text("POST /v1/job HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
        auto unread = encrypted();
        unread.send_text("GET /control/requests HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    EXPECT_EQ(encrypted().ask(request(http::verb::get, "/v1")).result_int(), 200U);
}

TEST_F(HttpsListenerTest, CopesWithAHundredConnectionsAtOnce) {
    start(true);
    std::vector<Connection<net::ssl::stream<tcp::socket>>> clients;
    clients.reserve(100);
    for (int i = 0; i < 100; ++i) clients.push_back(encrypted());
    for (int round = 0; round < 3; ++round) {
        for (auto& client : clients) http::write(client.stream, request(http::verb::get, "/v1"));
        for (auto& client : clients) EXPECT_EQ(client.receive().result_int(), 200U);
    }
}

TEST_F(HttpsListenerTest, DropsAConnectionThatStaysSilent) {
    ListenerOptions options;
    options.handshake_timeout = std::chrono::milliseconds(1);
    options.idle_timeout = std::chrono::milliseconds(1);
    start(false, options);
    EXPECT_TRUE(plain().is_closed());
}

TEST_F(HttpsListenerTest, KnowsThatTheClientIsOnThisMachine) {
    start(false);
    EXPECT_EQ(plain().ask(request(http::verb::get, "/control/requests")).result_int(), 200U);
}

TEST_F(HttpsListenerTest, SaysWhyItCanNotListen) {
    start(false);
    const auto open = [this](ListenerOptions options) {
        options.body_limit = Labserver::body_limit;
        const auto opened = HttpsListener::open(std::move(options), server);
        return opened ? std::string() : opened.error().message();
    };
    ListenerOptions options;
    options.address = "127.0.0.1";
    options.port = listener->port();
    EXPECT_NE(open(options).find("127.0.0.1:" + std::to_string(listener->port())), std::string::npos);
    options.port = 0;
    options.tls = TlsFiles{folder / "none.pem", server_files.key};
    EXPECT_NE(open(options).find("none.pem"), std::string::npos);
    options.tls = TlsFiles{server_files.certificate, authority.certificate()};
    EXPECT_NE(open(options).find("ca.pem"), std::string::npos);
}

}  // namespace
}  // namespace trebuchet::labserver
