#pragma once

#include "common/file/safe_file.hpp"

#include <cstdint>
#include <stdexcept>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace trebuchet {

/// Listens on a free port of the loopback, as a serial console's server does.
class TcpServer {
  public:
    TcpServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof(address);
        if (::bind(socket_.get(), generic, size) != 0 || ::listen(socket_.get(), 4) != 0 ||
            ::getsockname(socket_.get(), generic, &size) != 0) {
            throw std::runtime_error("can't listen on the loopback");
        }
        port_ = ntohs(address.sin_port);
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Waits for a client.
    [[nodiscard]] FileDescriptor accept() const {
        return FileDescriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
    /// From now on clients are refused.
    void close() { socket_ = FileDescriptor(); }

  private:
    FileDescriptor socket_;
    std::uint16_t port_ = 0;
};

inline void send_text(const FileDescriptor& connection, std::string_view text) {
    if (!write_all(connection.get(), text)) throw std::runtime_error("can't send");
}

}  // namespace trebuchet
