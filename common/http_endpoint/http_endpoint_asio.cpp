#include "common/http_endpoint/http_endpoint.hpp"
#include "common/http_endpoint/request_line.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <string_view>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/write.hpp>

namespace asio = boost::asio;

namespace trebuchet {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

/// Pause after a failed accept. Without it, a process without free descriptors would spin.
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::string_view end_of_head = "\r\n\r\n";

std::string_view reason_of(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 400:
            return "Bad Request";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 431:
            return "Request Header Fields Too Large";
        case 503:
            return "Service Unavailable";
        default:
            return "Unknown";
    }
}

std::string message_of(const HttpPage& page) {
    std::string message = "HTTP/1.1 " + std::to_string(page.status) + " " + std::string(reason_of(page.status)) +
                          "\r\nContent-Type: " + page.media_type +
                          "\r\nContent-Length: " + std::to_string(page.text.size()) +
                          "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n";
    if (page.status == 405) message += "Allow: GET\r\n";
    return message + "\r\n" + page.text;
}

HttpPage refusal(int status) {
    return {status, "text/plain; charset=utf-8", std::string(reason_of(status)) + "\n"};
}

bool is_this_host(const tcp::socket& socket) {
    error_code error;
    const auto address = socket.remote_endpoint(error).address();
    if (error) return false;
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
    }
    return address.is_loopback();
}

HttpPage answer_to(std::string_view head, const HttpEndpoint::Pages& pages, const std::set<std::string>& local_pages,
                   bool is_local) {
    const auto line = parse_request_line(head);
    if (!line) return refusal(400);
    const auto page = pages.find(std::string(line->path));
    if (page == pages.end()) return refusal(404);
    if (line->method != "GET") return refusal(405);
    if (local_pages.contains(page->first) && !(is_local && has_local_host(head))) return refusal(403);
    return page->second();
}

/// Reads one request, answers it, and waits for the client to close, because a reset could overtake the answer. After
/// close() no handler uses the connection.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    using Answer = std::function<HttpPage(std::string_view head)>;
    Connection(EventLoop& loop, tcp::socket socket, std::size_t request_limit, Answer answer)
        : socket_(std::move(socket)), timer_(loop), request_limit_(request_limit), answer_(std::move(answer)) {}

    void start(std::chrono::milliseconds time_limit, std::function<void(Connection*)> closed) {
        closed_ = std::move(closed);
        timer_.start(time_limit, [this] { finish(); });
        read();
    }

    /// Does not call back.
    void close() {
        open_ = false;
        timer_.stop();
        error_code ignored;
        socket_.close(ignored);
    }

  private:
    void finish() {
        const auto kept = shared_from_this();
        close();
        closed_(this);
    }

    void read() {
        socket_.async_read_some(asio::buffer(buffer_),
                                [self = shared_from_this()](const error_code& error, std::size_t size) {
                                    if (!self->open_) return;
                                    if (error) return self->finish();
                                    self->take(size);
                                });
    }

    void take(std::size_t size) {
        // Discard further input until the client closes or the time limit expires.
        if (answered_) return read();
        request_.append(buffer_.data(), size);
        const auto end = request_.find(end_of_head);
        const auto seen =
            end == std::string::npos ? request_.size() - std::min(request_.size(), end_of_head.size() - 1) : end;
        if (seen > request_limit_) return respond(refusal(431));
        if (end == std::string::npos) return read();
        respond(answer_(std::string_view(request_).substr(0, end)));
    }

    void respond(const HttpPage& page) {
        answered_ = true;
        message_ = message_of(page);
        asio::async_write(socket_, asio::buffer(message_),
                          [self = shared_from_this()](const error_code& error, std::size_t) {
                              if (!self->open_) return;
                              error_code failed = error;
                              if (!failed) self->socket_.shutdown(tcp::socket::shutdown_send, failed);
                              if (failed) return self->finish();
                              self->read();
                          });
    }

    tcp::socket socket_;
    Timer timer_;
    std::size_t request_limit_;
    Answer answer_;
    std::function<void(Connection*)> closed_;
    std::array<char, 1024> buffer_{};
    std::string request_;
    std::string message_;
    bool answered_ = false;
    bool open_ = true;
};

}  // namespace

class HttpEndpoint::Server : public std::enable_shared_from_this<Server> {
  public:
    Server(EventLoop& loop, const HttpEndpointOptions& options, Pages pages)
        : loop_(loop), options_(options), pages_(std::move(pages)), acceptor_(loop.context()), pause_(loop) {}

    error_code listen(const asio::ip::address& address) {
        error_code error;
        const tcp::endpoint where(address, options_.port);
        acceptor_.open(where.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error && address.is_v6()) acceptor_.set_option(asio::ip::v6_only(false), error);
        if (!error) acceptor_.bind(where, error);
        if (!error) acceptor_.listen(static_cast<int>(options_.connection_limit), error);
        if (!error) port_ = acceptor_.local_endpoint(error).port();
        if (!error) accept();
        return error;
    }

    void close() {
        open_ = false;
        pause_.stop();
        error_code ignored;
        acceptor_.close(ignored);
        for (const auto& connection : connections_) connection->close();
        connections_.clear();
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    void accept() {
        acceptor_.async_accept([self = shared_from_this()](const error_code& error, tcp::socket socket) {
            if (!self->open_) return;
            if (error) {
                if (!std::exchange(self->told_of_trouble_, true)) {
                    log_warning("cannot accept a connection on port " + std::to_string(self->port_) + ": " +
                                error.message());
                }
                return self->pause_.start(accept_pause, [server = self.get()] { server->accept(); });
            }
            self->told_of_trouble_ = false;
            self->serve(std::move(socket));
            self->accept();
        });
    }

    void serve(tcp::socket socket) {
        while (!connections_.empty() && connections_.size() >= options_.connection_limit) {
            connections_.front()->close();
            connections_.pop_front();
        }
        const bool is_local = is_this_host(socket);
        const auto connection = std::make_shared<Connection>(
            loop_, std::move(socket), options_.request_limit, [this, is_local](std::string_view head) {
                return answer_to(head, pages_, options_.local_pages, is_local);
            });
        connections_.push_back(connection);
        connection->start(options_.time_limit, [this](Connection* closed) {
            connections_.remove_if([&](const auto& known) { return known.get() == closed; });
        });
    }

    EventLoop& loop_;
    HttpEndpointOptions options_;
    Pages pages_;
    tcp::acceptor acceptor_;
    Timer pause_;
    std::list<std::shared_ptr<Connection>> connections_;  ///< oldest first
    std::uint16_t port_ = 0;
    bool told_of_trouble_ = false;
    bool open_ = true;
};

Result<std::unique_ptr<HttpEndpoint>> HttpEndpoint::open(EventLoop& loop, const HttpEndpointOptions& options,
                                                         Pages pages) {
    error_code error;
    const auto address = asio::ip::make_address(options.address, error);
    if (error) return fail("cannot listen on \"" + options.address + "\": expected an IP address of this host");
    auto server = std::make_shared<Server>(loop, options, std::move(pages));
    if (const auto failed = server->listen(address); failed) {
        return fail("cannot listen on " + options.address + ", port " + std::to_string(options.port) + ": " +
                    failed.message());
    }
    return std::unique_ptr<HttpEndpoint>(new HttpEndpoint(std::move(server)));
}

HttpEndpoint::~HttpEndpoint() {
    server_->close();
}

std::uint16_t HttpEndpoint::port() const {
    return server_->port();
}

}  // namespace trebuchet
