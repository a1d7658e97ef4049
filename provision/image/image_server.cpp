#include "provision/image/image_server.hpp"

#include "common/file/regular_file.hpp"

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr int patience_ms = 60'000;
constexpr std::size_t chunk = std::size_t{1024} * 1024;

/// Waits until `fd` is ready; false when `stop` is, or after `timeout_ms` (-1: never).
bool wait_for(int fd, short events, int stop, int timeout_ms) {
    std::array<pollfd, 2> ready{pollfd{fd, events, 0}, pollfd{stop, POLLIN, 0}};
    while (true) {
        const int count = ::poll(ready.data(), ready.size(), timeout_ms);
        if (count < 0 && errno == EINTR) continue;
        return count > 0 && ready[1].revents == 0;
    }
}

void send_file(const FileDescriptor& client, const FileDescriptor& file, int stop) {
    off_t offset = 0;
    while (wait_for(client.get(), POLLOUT, stop, patience_ms)) {
        const auto sent = ::sendfile(client.get(), file.get(), &offset, chunk);
        if (sent == 0 || (sent < 0 && errno != EAGAIN && errno != EINTR)) return;
    }
}

void serve(const FileDescriptor& listener, const FileDescriptor& file, int stop) {
    while (wait_for(listener.get(), POLLIN, stop, -1)) {
        const FileDescriptor client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (client) send_file(client, file, stop);
    }
}

std::string last_error() {
    return std::system_category().message(errno);
}

}  // namespace

Result<ImageServer> ImageServer::start(const std::filesystem::path& path) {
    auto file = open_regular_file(path);
    if (!file) return fail(file.error());
    FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    if (::bind(listener.get(), generic, size) != 0 || ::listen(listener.get(), 4) != 0 ||
        ::getsockname(listener.get(), generic, &size) != 0) {
        return fail("cannot listen for the device: " + last_error());
    }
    FileDescriptor stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!stop) return fail("cannot create an eventfd: " + last_error());
    std::thread thread(
        [listener = std::move(listener), file = std::move(*file), fd = stop.get()] { serve(listener, file, fd); });
    return ImageServer(std::move(stop), ntohs(address.sin_port), std::move(thread));
}

ImageServer::~ImageServer() {
    if (!thread_.joinable()) return;
    (void)::eventfd_write(stop_.get(), 1);
    thread_.join();
}

Result<std::string> own_address_towards(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), "9", &hints, &found) != 0) return fail("cannot look up " + host);
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in own{};
    socklen_t size = sizeof(own);
    if (::connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) {
        return fail("there is no route to " + host + ": " + last_error());
    }
    std::array<char, INET_ADDRSTRLEN> text{};
    if (::inet_ntop(AF_INET, &own.sin_addr, text.data(), text.size()) == nullptr) return fail(last_error());
    return std::string(text.data());
}

}  // namespace trebuchet
