#include "provision/boot/ssh_banner.hpp"

#include "common/base/system_text.hpp"
#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct FreeAddresses {
    void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};

Result<void> wait(int socket, short events, steady_clock::time_point deadline, const char* what) {
    pollfd ready{socket, events, 0};
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    const int count = ::poll(&ready, 1, static_cast<int>(std::max(left, milliseconds::zero()).count()));
    if (count < 0) return fail(system_text(errno));
    if (count == 0) return fail(what);
    return {};
}

Result<void> connect(int socket, const addrinfo& address, steady_clock::time_point deadline) {
    if (::connect(socket, address.ai_addr, address.ai_addrlen) == 0) return {};
    if (errno != EINPROGRESS) return fail(system_text(errno));
    if (auto done = wait(socket, POLLOUT, deadline, "connection timed out"); !done) return done;
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail(system_text(error));
    return {};
}

/// RFC 4253 allows other lines before the version line.
Result<void> read_banner(int socket, steady_clock::time_point deadline) {
    constexpr std::size_t longest = 8192;
    std::string received;
    while (received.size() < longest) {
        if (received.starts_with("SSH-") || received.find("\nSSH-") != std::string::npos) return {};
        if (auto done = wait(socket, POLLIN, deadline, "connected, but got no SSH banner in time"); !done) return done;
        std::array<char, 512> buffer{};
        const auto count = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (count == 0) return fail("connected, but the connection was closed before an SSH banner");
        if (count < 0 && errno != EAGAIN && errno != EINTR) return fail(system_text(errno));
        if (count > 0) received.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return fail("connected, but the server is not ssh; it said: " + trebuchet::quoted(received, 60));
}

}  // namespace

Result<void> check_ssh_banner(const std::string& host, std::uint16_t port, milliseconds timeout) {
    const auto deadline = steady_clock::now() + timeout;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
        return fail("cannot resolve " + host + ": " + ::gai_strerror(error));
    }
    const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
    Result<void> result = fail("no address");
    for (const auto* address = addresses.get(); address != nullptr; address = address->ai_next) {
        const FileDescriptor socket(
            ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol));
        if (!socket) continue;
        result = connect(socket.get(), *address, deadline);
        if (result) result = read_banner(socket.get(), deadline);
        if (result) return result;
    }
    return result;
}

}  // namespace trebuchet
