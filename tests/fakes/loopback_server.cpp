#include "tests/fakes/loopback_server.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trebuchet {
namespace {

std::shared_ptr<SSL_CTX> tls_context(const ServerIdentity& identity) {
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    const bool usable = SSL_CTX_use_certificate_chain_file(context.get(), identity.certificate.c_str()) == 1 &&
                        SSL_CTX_use_PrivateKey_file(context.get(), identity.key.c_str(), SSL_FILETYPE_PEM) == 1 &&
                        (identity.client_ca.empty() ||
                         SSL_CTX_load_verify_locations(context.get(), identity.client_ca.c_str(), nullptr) == 1);
    if (!usable) throw std::runtime_error("cannot use the server's certificate or key");
    if (!identity.client_ca.empty()) {
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    return context;
}

}  // namespace

std::string ReceivedRequest::header(const std::string& name) const {
    const auto start = head.find("\r\n" + name + ":");
    if (start == std::string::npos) return "none";
    const auto value = head.find_first_not_of(' ', start + name.size() + 3);
    return head.substr(value, head.find('\r', value) - value);
}

std::ptrdiff_t LoopbackServer::Connection::receive(char* data, std::size_t size) {
    return tls_ != nullptr ? SSL_read(tls_, data, static_cast<int>(size)) : ::recv(fd_, data, size, 0);
}

std::optional<ReceivedRequest> LoopbackServer::Connection::read_request() {
    ReceivedRequest request;
    request.connection = number_;
    std::array<char, 16384> buffer{};
    std::size_t head_size = std::string::npos;
    std::size_t size = 0;
    while (head_size == std::string::npos || received_.size() < size) {
        if (head_size == std::string::npos && (head_size = received_.find("\r\n\r\n")) != std::string::npos) {
            request.head = received_.substr(0, head_size + 2);
            const auto length = request.header("Content-Length");
            size = head_size + 4 + (length == "none" ? 0U : std::strtoul(length.c_str(), nullptr, 10));
            continue;
        }
        const auto count = receive(buffer.data(), buffer.size());
        if (count <= 0) return std::nullopt;
        received_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    request.body = received_.substr(head_size + 4, size - head_size - 4);
    received_.erase(0, size);
    const std::lock_guard lock(server_.mutex_);
    server_.requests_.push_back(request);
    return request;
}

bool LoopbackServer::Connection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::ptrdiff_t count = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                                     : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

void LoopbackServer::Connection::hold() {
    std::array<char, 1024> ignored{};
    while (receive(ignored.data(), ignored.size()) > 0) continue;
}

LoopbackServer::LoopbackServer(Script script, const std::optional<ServerIdentity>& identity, std::uint16_t port)
    : script_(std::move(script)), tls_(identity ? tls_context(*identity) : nullptr) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int reuse = 1;
    (void)::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
        throw std::runtime_error("cannot listen on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_connections(); });
}

LoopbackServer::~LoopbackServer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        for (const auto& served : served_) ::shutdown(served.fd, SHUT_RDWR);
    }
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (auto& served : served_) {
        served.thread.join();
        ::close(served.fd);
    }
}

void LoopbackServer::stop_listening() {
    ::shutdown(listener_, SHUT_RDWR);
}

void LoopbackServer::accept_connections() {
    while (true) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        const std::lock_guard lock(mutex_);
        if (fd < 0 || stopping_) {
            if (fd >= 0) ::close(fd);
            return;
        }
        served_.push_back({fd, std::thread([this, number = served_.size(), fd] { serve(number, fd); })});
    }
}

void LoopbackServer::serve(std::size_t number, int fd) {
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);  // OpenSSL writes without MSG_NOSIGNAL
    Connection connection(*this, number, fd);
    const std::unique_ptr<SSL, void (*)(SSL*)> tls(tls_ ? SSL_new(tls_.get()) : nullptr, SSL_free);
    bool ready = true;
    if (tls) {
        SSL_set_fd(tls.get(), fd);
        ready = SSL_accept(tls.get()) == 1;
        connection.tls_ = tls.get();
        if (ready && SSL_session_reused(tls.get()) == 1) ++resumptions_;
    }
    if (ready) script_(connection);
    if (ready && tls) SSL_shutdown(tls.get());
    ::shutdown(fd, SHUT_RDWR);
}

std::string LoopbackServer::origin() const {
    return std::string(tls_ ? "https" : "http") + "://127.0.0.1:" + std::to_string(port_);
}

std::vector<ReceivedRequest> LoopbackServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

std::size_t LoopbackServer::connections() const {
    const std::lock_guard lock(mutex_);
    return served_.size();
}

LoopbackServer::Script always(std::string answer) {
    return [answer = std::move(answer)](LoopbackServer::Connection& connection) {
        while (connection.read_request()) connection.send(answer);
    };
}

std::string ok(std::string_view body, std::string_view headers) {
    return "HTTP/1.1 200 OK\r\n" + std::string(headers) + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
}

}  // namespace trebuchet
