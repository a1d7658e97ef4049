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
    /// Whoever waits for a client gets none, and goes on getting none.
    void shut_down() const { ::shutdown(socket_.get(), SHUT_RDWR); }
    /// From now on clients are refused.
    void close() { socket_ = FileDescriptor(); }

  private:
    FileDescriptor socket_;
    std::uint16_t port_ = 0;
};

/// The same at a path.
class UnixServer {
  public:
    explicit UnixServer(const std::filesystem::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const auto& name = path.native();
        std::copy(name.begin(), name.end(), static_cast<char*>(address.sun_path));
        if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
            ::listen(socket_.get(), 4) != 0) {
            throw std::runtime_error("can't listen at " + name);
        }
    }

    /// Waits for a client.
    [[nodiscard]] FileDescriptor accept() const {
        return FileDescriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
    /// From now on clients are refused, and whoever waits for one gets none.
    void shut_down() const { ::shutdown(socket_.get(), SHUT_RDWR); }

  private:
    FileDescriptor socket_;
};

inline void send_text(const FileDescriptor& connection, std::string_view text) {
    if (!write_all(connection.get(), text)) throw std::runtime_error("can't send");
}

}  // namespace trebuchet
