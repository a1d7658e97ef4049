#include "provision/serial/serial_console.hpp"

#include "common/base/system_text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr int connect_timeout_ms = 10'000;

struct Speed {
    unsigned bauds;
    speed_t code;
};
constexpr std::array<Speed, 15> speeds{{{1200, B1200},
                                        {2400, B2400},
                                        {4800, B4800},
                                        {9600, B9600},
                                        {19'200, B19200},
                                        {38'400, B38400},
                                        {57'600, B57600},
                                        {115'200, B115200},
                                        {230'400, B230400},
                                        {460'800, B460800},
                                        {921'600, B921600},
                                        {1'000'000, B1000000},
                                        {1'500'000, B1500000},
                                        {3'000'000, B3000000},
                                        {4'000'000, B4000000}}};

const Speed* find_speed(unsigned bauds) {
    const auto* const found =
        std::find_if(speeds.begin(), speeds.end(), [&](const Speed& speed) { return speed.bauds == bauds; });
    return found == speeds.end() ? nullptr : found;
}

struct Name {
    std::string operator()(const TcpConsole& console) const {
        return console.host + ":" + std::to_string(console.port);
    }
    std::string operator()(const UnixConsole& console) const { return console.socket.string(); }
    std::string operator()(const TtyConsole& console) const { return console.device.string(); }
};

/// Waits for a pending connect. Returns 0 or an errno; nullopt if `stop` became readable first.
std::optional<int> finish_connect(int socket, int stop) {
    std::array<pollfd, 2> ready{pollfd{stop, POLLIN, 0}, pollfd{socket, POLLOUT, 0}};
    int count = 0;
    do {
        count = ::poll(ready.data(), ready.size(), connect_timeout_ms);
    } while (count < 0 && errno == EINTR);
    if (count == 0) return ETIMEDOUT;
    if (ready[1].revents == 0) return std::nullopt;
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

}  // namespace

std::string name_of(const SerialConsole& console) {
    return std::visit(Name{}, console);
}

void FreeAddresses::operator()(addrinfo* addresses) const {
    ::freeaddrinfo(addresses);
}

Result<Addresses> look_up(const TcpConsole& console) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(console.host.c_str(), std::to_string(console.port).c_str(), &hints, &found);
    if (error == 0) return Addresses(found);
    return fail("cannot resolve " + console.host + ": " +
                (error == EAI_SYSTEM ? system_text(errno) : std::string(::gai_strerror(error))));
}

Result<FileDescriptor> connect_to(const Addresses& addresses, int stop) {
    int error = 0;
    for (const auto* address = addresses.get(); address != nullptr; address = address->ai_next) {
        FileDescriptor socket(
            ::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol));
        if (!socket) {
            error = errno;
            continue;
        }
        const int on = 1;
        ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        error = ::connect(socket.get(), address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
        if (error == EINPROGRESS) {
            const auto finished = finish_connect(socket.get(), stop);
            if (!finished) return FileDescriptor();
            error = *finished;
        }
        if (error == 0) return socket;
    }
    return fail("cannot connect: " + system_text(error));
}

Result<FileDescriptor> connect_to(const UnixConsole& console) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto& path = console.socket.native();
    if (path.size() >= sizeof(address.sun_path)) return fail("cannot connect: the socket's path is too long");
    std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
    FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return fail("cannot connect: " + system_text(errno));
    }
    return socket;
}

Result<FileDescriptor> open_console(const TtyConsole& console) {
    const auto* const speed = find_speed(console.speed);
    if (speed == nullptr) return fail("unsupported serial speed " + std::to_string(console.speed) + " baud");
    FileDescriptor tty(::open(console.device.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    termios settings{};
    if (!tty || ::tcgetattr(tty.get(), &settings) != 0) return fail("cannot open it: " + system_text(errno));
    ::cfmakeraw(&settings);
    settings.c_cflag |= CLOCAL | CREAD;
    settings.c_cflag &= ~static_cast<tcflag_t>(CSTOPB | CRTSCTS);
    ::cfsetspeed(&settings, speed->code);
    if (::tcsetattr(tty.get(), TCSANOW, &settings) != 0) return fail("cannot configure it: " + system_text(errno));
    return tty;
}

bool is_tty_speed(unsigned speed) {
    return find_speed(speed) != nullptr;
}

}  // namespace trebuchet
