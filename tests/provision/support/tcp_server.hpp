#pragma once

#include "common/file/safe_file.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace trebuchet {

/// A serial console's server on a free loopback port.
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
            throw std::runtime_error("cannot listen on the loopback");
        }
        port_ = ntohs(address.sin_port);
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Waits for a client.
    [[nodiscard]] FileDescriptor accept() const {
        return FileDescriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
    /// Wakes accept(), which then returns no client any more.
    void shut_down() const { ::shutdown(socket_.get(), SHUT_RDWR); }
    /// Refuses further clients.
    void close() { socket_ = FileDescriptor(); }

  private:
    FileDescriptor socket_;
    std::uint16_t port_ = 0;
};

/// The same on a unix socket.
class UnixServer {
  public:
    explicit UnixServer(const std::filesystem::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const auto& name = path.native();
        std::copy(name.begin(), name.end(), static_cast<char*>(address.sun_path));
        if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
            ::listen(socket_.get(), 4) != 0) {
            throw std::runtime_error("cannot listen at " + name);
        }
    }

    /// Waits for a client.
    [[nodiscard]] FileDescriptor accept() const {
        return FileDescriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
    /// Refuses further clients and wakes accept().
    void shut_down() const { ::shutdown(socket_.get(), SHUT_RDWR); }

  private:
    FileDescriptor socket_;
};

inline void send_text(const FileDescriptor& connection, std::string_view text) {
    if (!write_all(connection.get(), text)) throw std::runtime_error("cannot send");
}

}  // namespace trebuchet
