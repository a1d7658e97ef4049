#include "tests/labserver/net/https_listener.hpp"

#include <sstream>
#include <utility>  // Boost 1.74's Asio needs it in C++20 and does not include it

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

namespace trebuchet::labserver {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
using tcp = net::ip::tcp;

constexpr std::uint32_t header_limit = 64U << 10U;
constexpr std::size_t linger_limit = 1U << 30U;

bool is_loopback(const net::ip::address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6()).is_loopback();
    }
    return address.is_loopback();
}

bool is_malformed(const beast::error_code& error) {
    return error.category() == http::make_error_code(http::error::bad_method).category();
}

std::string lower_case(beast::string_view text) {
    std::string lowered(text);
    for (auto& c : lowered) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lowered;
}

Request converted(http::request<http::string_body>&& message) {
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    for (const auto& field : message) {
        auto& value = request.headers[lower_case(field.name_string())];
        if (!value.empty()) value += field.name() == http::field::cookie ? "; " : ", ";
        value += std::string(field.value());
    }
    request.body = std::move(message.body());
    return request;
}

std::string text_of(const http::response<http::string_body>& message) {
    std::ostringstream text;
    text << message;
    return std::move(text).str();
}

struct Shared {
    ListenerOptions options;
    Handler& handler;
    std::function<void(std::chrono::milliseconds)> go_away{};
    unsigned departures = 0;  ///< how many times all connections were cut

    void complain(const std::string& what) const {
        if (options.complain) options.complain(what);
    }
};

/// One connection. The pending operation keeps it alive.
template <typename Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
  public:
    Session(Stream stream, const Shared& shared, bool from_loopback)
        : stream_(std::move(stream)),
          shared_(shared),
          from_loopback_(from_loopback),
          opened_after_(shared.departures),
          timer_(stream_.get_executor()) {}

    void start() {
        if constexpr (is_tls) {
            expire_in(shared_.options.handshake_timeout);
            stream_.async_handshake(net::ssl::stream_base::server,
                                    beast::bind_front_handler(&Session::on_handshake, this->shared_from_this()));
        } else {
            read_header();
        }
    }

  private:
    static constexpr bool is_tls = !std::is_same_v<Stream, beast::tcp_stream>;

    void expire_in(std::chrono::milliseconds time) { beast::get_lowest_layer(stream_).expires_after(time); }

    void on_handshake(beast::error_code error) {
        if (error) return shared_.complain("TLS handshake failed: " + error.message());
        read_header();
    }

    void read_header() {
        parser_.emplace();
        parser_->header_limit(header_limit);
        parser_->body_limit(UINT64_MAX);  // Beast 1.74 takes boost::none for "no body allowed"
        expire_in(shared_.options.idle_timeout);
        http::async_read_header(
            stream_, buffer_, *parser_,
            [self = this->shared_from_this()](beast::error_code error, std::size_t) { self->on_header(error); });
    }

    void on_header(beast::error_code error) {
        if (error == http::error::end_of_stream) return close();
        if (error == http::error::header_limit) return refuse(431, "The request's headers are too long");
        if (is_malformed(error)) return refuse(400, "Not an HTTP request: " + error.message());
        if (error) return;
        if (is_to_be_cut()) return cut();
        const auto target = parser_->get().target();
        const auto limit = shared_.options.body_limit(std::string_view(target.data(), target.size()));
        const auto length = parser_->content_length();
        if (length && *length > limit) return answer_over_limit();
        parser_->body_limit(limit);
        if (lower_case(parser_->get()[http::field::expect]) != "100-continue") return read_body();
        static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        net::async_write(stream_, net::buffer(go_on.data(), go_on.size()),
                         [self = this->shared_from_this()](beast::error_code failed, std::size_t) {
                             if (!failed) self->read_body();
                         });
    }

    bool is_to_be_cut() {
        if (opened_after_ != shared_.departures) return true;
        if (!shared_.options.cut) return false;
        const auto method = parser_->get().method_string();
        const auto target = parser_->get().target();
        const auto decided = shared_.options.cut({method.data(), method.size()}, {target.data(), target.size()});
        if (decided && decided->all) shared_.go_away(decided->away);
        return decided.has_value();
    }

    void read_body() {
        expire_in(shared_.options.transfer_timeout);
        http::async_read(
            stream_, buffer_, *parser_,
            [self = this->shared_from_this()](beast::error_code error, std::size_t) { self->on_body(error); });
    }

    void on_body(beast::error_code error) {
        if (error == http::error::body_limit) return answer_over_limit();
        if (is_malformed(error)) return refuse(400, "Not an HTTP request: " + error.message());
        if (error) return;
        const bool keep_alive = parser_->keep_alive();
        answer(converted(parser_->release()), keep_alive);
    }

    void answer_over_limit() {
        auto message = parser_->release();
        message.body().clear();
        auto request = converted(std::move(message));
        request.body_over_limit = true;
        answer(std::move(request), false);
    }

    void answer(Request request, bool keep_alive) {
        request.from_loopback = from_loopback_;
        write(shared_.handler.handle(request), request.method == "HEAD", keep_alive, request.body_over_limit);
    }

    void refuse(int status, const std::string& why) { write(problem(status, why), false, false, true); }

    void write(Response response, bool without_body, bool keep_alive, bool linger) {
        if (response.wire) return write_oddly(std::move(response), without_body, keep_alive);
        compose(response, without_body, keep_alive);
        expire_in(shared_.options.transfer_timeout);
        if (response.when_written) response.when_written();
        http::async_write(stream_, message_,
                          [self = this->shared_from_this(), keep_alive, linger](beast::error_code error, std::size_t) {
                              self->on_written(error, keep_alive, linger);
                          });
    }

    void compose(Response& response, bool without_body, bool keep_alive) {
        message_ = {};
        message_.version(11);
        message_.result(static_cast<unsigned>(response.status));
        message_.set(http::field::server, "trebuchet-labserver");
        for (const auto& [name, value] : response.headers) message_.insert(name, value);
        if (response.status != 204) {
            message_.set(http::field::content_type, response.content_type);
            message_.content_length(response.body.size());
            if (!without_body) message_.body() = std::move(response.body);
        }
        message_.keep_alive(keep_alive);
    }

    void write_oddly(Response response, bool without_body, bool keep_alive) {
        const auto wire = *std::exchange(response.wire, std::nullopt);
        bytes_ = wire.before;
        before_ = bytes_.size();
        if (wire.answer) {
            compose(response, without_body, keep_alive);
            if (wire.content_length) message_.content_length(*wire.content_length);
            bytes_ += text_of(message_);
            message_ = {};
        }
        sent_ = 0;
        after_ = wire.cut ? After::cut : (keep_alive ? After::next_request : After::close);
        wait(wire.delay, [this, pause = wire.pause, when_written = response.when_written] {
            if (when_written) when_written();
            write_bytes(pause);
        });
    }

    /// Writes everything at once, or with a pause after each byte.
    void write_bytes(std::chrono::milliseconds pause) {
        if (sent_ == bytes_.size()) return go_on();
        const auto end = sent_ < before_ ? before_ : bytes_.size();  // a separate write for what precedes the answer
        const auto size = pause.count() == 0 ? end - sent_ : 1;
        expire_in(shared_.options.transfer_timeout);
        net::async_write(stream_, net::buffer(bytes_.data() + sent_, size),
                         [self = this->shared_from_this(), pause](beast::error_code error, std::size_t written) {
                             if (error) return;
                             self->sent_ += written;
                             self->wait(pause, [session = self.get(), pause] { session->write_bytes(pause); });
                         });
    }

    void go_on() {
        bytes_ = {};
        if (after_ == After::cut) return cut();
        if (after_ == After::close) return close();
        read_header();
    }

    /// The session still exists when `then` is called.
    template <typename Then>
    void wait(std::chrono::milliseconds time, Then then) {
        if (time.count() == 0) return then();
        beast::get_lowest_layer(stream_).expires_never();
        timer_.expires_after(time);
        timer_.async_wait([self = this->shared_from_this(), then](beast::error_code error) {
            if (!error) then();
        });
    }

    void on_written(beast::error_code error, bool keep_alive, bool linger) {
        if (error) return;
        message_ = {};
        if (keep_alive) return read_header();
        if (!linger) return close();
        expire_in(shared_.options.linger_timeout);
        discard();
    }

    /// Reads and drops what the client still sends. Closing now would reset the connection, and the client would never
    /// see the answer.
    void discard() {
        if (discarded_ > linger_limit) return close();
        rest_.resize(64U << 10U);
        stream_.async_read_some(net::buffer(rest_),
                                [self = this->shared_from_this()](beast::error_code error, std::size_t size) {
                                    self->discarded_ += size;
                                    if (error) return self->close();
                                    self->discard();
                                });
    }

    void cut() { beast::get_lowest_layer(stream_).close(); }

    void close() {
        if constexpr (is_tls) {
            expire_in(shared_.options.handshake_timeout);
            stream_.async_shutdown([self = this->shared_from_this()](beast::error_code) {});
        } else {
            beast::error_code ignored;
            stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        }
    }

    enum class After { next_request, close, cut };

    Stream stream_;
    const Shared& shared_;
    bool from_loopback_;
    unsigned opened_after_;  ///< the number of departures when this connection was opened
    beast::flat_buffer buffer_;
    boost::optional<http::request_parser<http::string_body>> parser_;
    http::response<http::string_body> message_;
    std::vector<char> rest_;
    std::size_t discarded_ = 0;

    // Used for an answer with a Wire.
    net::steady_timer timer_;
    std::string bytes_;
    std::size_t before_ = 0;  ///< how many of them precede the answer
    std::size_t sent_ = 0;
    After after_ = After::close;
};

Result<void> load(net::ssl::context& context, const TlsFiles& files) {
    beast::error_code error;
    context.set_options(net::ssl::context::default_workarounds | net::ssl::context::no_sslv2 |
                        net::ssl::context::no_sslv3 | net::ssl::context::no_tlsv1 | net::ssl::context::no_tlsv1_1);
    context.set_password_callback([](std::size_t, net::ssl::context::password_purpose) { return std::string(); });
    context.use_certificate_chain_file(files.certificate.string(), error);
    if (error) return fail("certificate " + files.certificate.string() + ": " + error.message());
    context.use_private_key_file(files.key.string(), net::ssl::context::pem, error);
    if (error) return fail("key " + files.key.string() + ": " + error.message());
    return {};
}

}  // namespace

struct HttpsListener::Impl {
    Impl(ListenerOptions options, Handler& handler)
        : shared{std::move(options), handler},
          tls(net::ssl::context::tls_server),
          acceptor(io),
          pause(io),
          signals(io) {
        shared.go_away = [this](std::chrono::milliseconds time) { go_away(time); };
    }

    Result<void> listen() {
        if (shared.options.tls) {
            auto loaded = load(tls, *shared.options.tls);
            if (!loaded) return loaded;
        }
        const auto where = shared.options.address + ":" + std::to_string(shared.options.port);
        beast::error_code error;
        tcp::resolver resolver(io);
        const auto found = resolver.resolve(shared.options.address, std::to_string(shared.options.port),
                                            tcp::resolver::passive | tcp::resolver::numeric_service, error);
        if (error || found.empty()) return fail("cannot listen on " + where + ": " + error.message());
        error = bind(found.begin()->endpoint());
        if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
        if (error) return fail("cannot listen on " + where + ": " + error.message());
        accept();
        return {};
    }

    beast::error_code bind(const tcp::endpoint& endpoint) {
        beast::error_code error;
        acceptor.open(endpoint.protocol(), error);
        if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
        if (!error) acceptor.bind(endpoint, error);
        return error;
    }

    /// Keeps the port, but refuses connections to it for this time.
    void go_away(std::chrono::milliseconds time) {
        ++shared.departures;
        if (time.count() == 0) return;
        const auto endpoint = acceptor.local_endpoint();
        acceptor.close();
        if (const auto error = bind(endpoint)) return give_up(error);
        is_away = true;
        pause.expires_after(time);
        pause.async_wait([this](beast::error_code aborted) {
            if (aborted) return;
            is_away = false;
            beast::error_code error;
            acceptor.listen(net::socket_base::max_listen_connections, error);
            if (error) return give_up(error);
            accept();
        });
    }

    void give_up(const beast::error_code& error) {
        shared.complain("cannot listen again: " + error.message());
        io.stop();
    }

    void accept() {
        acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
            if (error == net::error::operation_aborted || is_away) return;
            if (error) return accept_later(error);
            start(std::move(socket));
            accept();
        });
    }

    /// Accepts again after a pause: while there are no free file descriptors, accepting fails at once each time.
    void accept_later(const beast::error_code& error) {
        shared.complain("cannot accept a connection: " + error.message());
        pause.expires_after(std::chrono::milliseconds(100));
        pause.async_wait([this](beast::error_code aborted) {
            if (!aborted && !is_away) accept();
        });
    }

    void start(tcp::socket socket) {
        beast::error_code error;
        const auto peer = socket.remote_endpoint(error);
        if (!error) socket.set_option(tcp::no_delay(true), error);
        if (error) return;
        const bool from_loopback = is_loopback(peer.address());
        beast::tcp_stream stream(std::move(socket));
        if (shared.options.tls) {
            using Stream = beast::ssl_stream<beast::tcp_stream>;
            std::make_shared<Session<Stream>>(Stream(std::move(stream), tls), shared, from_loopback)->start();
        } else {
            std::make_shared<Session<beast::tcp_stream>>(std::move(stream), shared, from_loopback)->start();
        }
    }

    // `io` owns the sessions, and they refer to the members declared before it.
    Shared shared;
    net::ssl::context tls;
    net::io_context io{1};
    tcp::acceptor acceptor;
    bool is_away = false;
    net::steady_timer pause;
    net::signal_set signals;
};

HttpsListener::HttpsListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpsListener::HttpsListener(HttpsListener&&) noexcept = default;
HttpsListener& HttpsListener::operator=(HttpsListener&&) noexcept = default;
HttpsListener::~HttpsListener() = default;

Result<HttpsListener> HttpsListener::open(ListenerOptions options, Handler& handler) {
    auto impl = std::make_unique<Impl>(std::move(options), handler);
    auto listening = impl->listen();
    if (!listening) return fail(listening.error());
    return HttpsListener(std::move(impl));
}

std::string HttpsListener::url() const {
    const auto endpoint = impl_->acceptor.local_endpoint();
    const auto address = endpoint.address().to_string();
    const auto host = endpoint.address().is_v6() ? "[" + address + "]" : address;
    return (impl_->shared.options.tls ? "https://" : "http://") + host + ":" + std::to_string(endpoint.port());
}

std::uint16_t HttpsListener::port() const {
    return impl_->acceptor.local_endpoint().port();
}

void HttpsListener::stop_on_signals() {
    impl_->signals.add(SIGTERM);
    impl_->signals.add(SIGINT);
    impl_->signals.async_wait([io = &impl_->io](beast::error_code aborted, int) {
        if (!aborted) io->stop();
    });
}

void HttpsListener::run() {
    impl_->io.run();
}

void HttpsListener::stop() {
    impl_->io.stop();
}

}  // namespace trebuchet::labserver
