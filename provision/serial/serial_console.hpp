#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>

struct addrinfo;

namespace trebuchet {

/// Raw TCP: ser2net's `accepter: tcp,…`. With `telnet,…` the log would contain Telnet control bytes.
struct TcpConsole {
    std::string host;
    std::uint16_t port = 0;
};

struct UnixConsole {
    std::filesystem::path socket;
};

/// A local serial port: raw mode, 8 data bits, no parity, one stop bit, no flow control.
struct TtyConsole {
    std::filesystem::path device;
    unsigned speed = 115'200;  ///< in baud; a standard rate, see is_tty_speed()
};

using SerialConsole = std::variant<TcpConsole, UnixConsole, TtyConsole>;

/// For messages: "host:port", or the path.
[[nodiscard]] std::string name_of(const SerialConsole& console);

struct FreeAddresses {
    void operator()(addrinfo* addresses) const;
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/// May block for long and cannot be interrupted.
[[nodiscard]] Result<Addresses> look_up(const TcpConsole& console);

/// These return non-blocking descriptors. A TCP connect takes at most 10 s and ends at once when `stop` is readable:
/// then the returned descriptor is not open.
[[nodiscard]] Result<FileDescriptor> connect_to(const Addresses& addresses, int stop);
[[nodiscard]] Result<FileDescriptor> connect_to(const UnixConsole& console);
[[nodiscard]] Result<FileDescriptor> open_console(const TtyConsole& console);

/// True if termios supports this speed, in baud.
[[nodiscard]] bool is_tty_speed(unsigned speed);

}  // namespace trebuchet
