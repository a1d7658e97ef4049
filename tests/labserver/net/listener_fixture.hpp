#pragma once

#include "common/base/clock.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/fakes/test_authority.hpp"
#include "tests/labserver/labserver.hpp"
#include "tests/labserver/net/https_listener.hpp"

#include <optional>
#include <string>
#include <thread>
#include <utility>  // Boost 1.74's Asio needs it in C++20 and does not include it

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace trebuchet::labserver {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
using tcp = net::ip::tcp;

using ClientRequest = http::request<http::string_body>;
using ClientResponse = http::response<http::string_body>;

inline ClientRequest request(http::verb verb, const std::string& target, const std::string& body = {}) {
    ClientRequest message(verb, target, 11);
    message.set(http::field::host, "localhost");
    if (!body.empty()) message.set(http::field::content_type, "application/json");
    message.body() = body;
    message.prepare_payload();
    return message;
}

/// A client's connection, with or without TLS.
template <typename Stream>
struct Connection {
    Stream stream;
    beast::flat_buffer buffer{};

    void send_text(const std::string& text) { net::write(stream, net::buffer(text)); }
    ClientResponse receive() {
        http::response_parser<http::string_body> parser;
        parser.body_limit(UINT64_MAX);
        http::read(stream, buffer, parser);
        return parser.release();
    }
    ClientResponse ask(const ClientRequest& message) {
        http::write(stream, message);
        return receive();
    }
    /// Whether the server has closed its end.
    bool is_closed() {
        char byte = 0;
        beast::error_code error;
        net::read(stream, net::buffer(&byte, 1), error);
        return error == net::error::eof || error == net::ssl::error::stream_truncated;
    }
};

class HttpsListenerTest : public ::testing::Test {
  protected:
    void start(bool with_tls, ListenerOptions options = {}) {
        options.address = "127.0.0.1";
        options.body_limit = Labserver::body_limit;
        options.cut = [this](std::string_view method, std::string_view target) { return server.cut(method, target); };
        if (with_tls) options.tls = TlsFiles{server_files.certificate, server_files.key};
        auto opened = HttpsListener::open(std::move(options), server);
        ASSERT_TRUE(opened.has_value()) << opened.error().message();
        listener.emplace(std::move(*opened));
        thread = std::thread([this] { listener->run(); });
    }
    void TearDown() override {
        if (listener) listener->stop();
        if (thread.joinable()) thread.join();
    }

    tcp::socket connected() {
        tcp::socket socket(io);
        socket.connect({net::ip::make_address("127.0.0.1"), listener->port()});
        return socket;
    }
    Connection<tcp::socket> plain() { return {connected()}; }
    Connection<net::ssl::stream<tcp::socket>> encrypted() {
        Connection<net::ssl::stream<tcp::socket>> connection{{connected(), trusting}};
        connection.stream.handshake(net::ssl::stream_base::client);
        return connection;
    }

    TemporaryFolder folder;
    TestAuthority authority{folder.path(), "ca"};
    TestCertificate server_files = authority.issue("server", "IP:127.0.0.1");
    SystemClock clock;
    Labserver server{clock};
    net::io_context io;
    net::ssl::context trusting = [this] {
        net::ssl::context context(net::ssl::context::tls_client);
        context.load_verify_file(authority.certificate().string());
        context.set_verify_mode(net::ssl::verify_peer);
        context.set_verify_callback(net::ssl::host_name_verification("127.0.0.1"));
        return context;
    }();
    std::optional<HttpsListener> listener;
    std::thread thread;
};

}  // namespace trebuchet::labserver
