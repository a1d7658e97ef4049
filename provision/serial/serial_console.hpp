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

/// Raw TCP, as ser2net offers it with `accepter: tcp,…` (with `telnet,…` its control bytes would stand in the log).
struct TcpConsole {
    std::string host;
    std::uint16_t port = 0;
};

struct UnixConsole {
    std::filesystem::path socket;
};

/// A serial adapter of this machine: raw, 8 bits, no parity, one stop bit, no flow control.
struct TtyConsole {
    std::filesystem::path device;
    unsigned speed = 115'200;  ///< one of those that POSIX and Linux name, such as 9600
};

using SerialConsole = std::variant<TcpConsole, UnixConsole, TtyConsole>;

/// For people: "host:port", or the path.
[[nodiscard]] std::string name_of(const SerialConsole& console);

struct FreeAddresses {
    void operator()(addrinfo* addresses) const;
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/// May take long, and can't be interrupted.
[[nodiscard]] Result<Addresses> look_up(const TcpConsole& console);

/// The rest doesn't block for longer than 10 s, and not at all once `stop` is readable: then the descriptor that it
/// returns is not open. Descriptors don't block.
[[nodiscard]] Result<FileDescriptor> connect_to(const Addresses& addresses, int stop);
[[nodiscard]] Result<FileDescriptor> connect_to(const UnixConsole& console);
[[nodiscard]] Result<FileDescriptor> open_console(const TtyConsole& console);

/// Whether a tty can have this speed.
[[nodiscard]] bool is_tty_speed(unsigned speed);

}  // namespace trebuchet
