#include "tests/integration/harness/https_client.hpp"

#include "tests/integration/harness/wait.hpp"

#include <stdexcept>
#include <utility>  // Boost 1.74's Asio needs it in C++20 and does not include it

#include <sys/socket.h>
#include <sys/time.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace trebuchet::harness {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
using tcp = net::ip::tcp;

constexpr std::uint64_t answer_limit = 256U << 20U;

/// Sets a timeout, so that a stuck read or write ends with an error.
void bound_waits(tcp::socket& socket) {
    const timeval limit{patience.count(), 0};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/// Retries for 2 s: a fault may make the server refuse connections for a moment.
void connect(tcp::socket& socket, const tcp::resolver::results_type& addresses) {
    boost::system::error_code error;
    static_cast<void>(eventually(
        [&] {
            net::connect(socket, addresses, error);
            return error != net::error::connection_refused;
        },
        std::chrono::seconds(2)));
    if (error) throw boost::system::system_error(error);
}

}  // namespace

Json Reply::json() const {
    auto parsed = Json::parse(body, nullptr, false);
    return parsed.is_discarded() ? Json() : parsed;
}

Reply send_request(const std::string& origin, const std::filesystem::path& ca, std::string_view method,
                   const std::string& target, const std::string& token, const Json& body) {
    const std::string scheme = "https://";
    const auto colon = origin.rfind(':');
    if (origin.rfind(scheme, 0) != 0 || colon < scheme.size()) throw std::invalid_argument(origin);
    const auto host = origin.substr(scheme.size(), colon - scheme.size());

    net::ssl::context tls(net::ssl::context::tls_client);
    tls.load_verify_file(ca.string());
    net::io_context context;
    net::ssl::stream<tcp::socket> stream(context, tls);
    stream.set_verify_mode(net::ssl::verify_peer);
    stream.set_verify_callback(net::ssl::host_name_verification(host));
    connect(stream.next_layer(), tcp::resolver(context).resolve(host, origin.substr(colon + 1)));
    bound_waits(stream.next_layer());
    stream.handshake(net::ssl::stream_base::client);

    http::request<http::string_body> request;
    request.method_string(beast::string_view(method.data(), method.size()));
    request.target(target);
    request.version(11);
    request.set(http::field::host, host);
    request.set(http::field::connection, "close");
    if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    if (!body.is_null()) {
        request.set(http::field::content_type, "application/json");
        request.body() = body.dump();
    }
    request.prepare_payload();
    http::write(stream, request);

    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(answer_limit);
    http::read(stream, buffer, parser);
    return {static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

}  // namespace trebuchet::harness
