#pragma once

#include "common/file/safe_file.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet::conformance {

/// The environment variable with the runner's socket, for the doubles and the program under test.
inline constexpr const char* socket_variable = "TREBUCHET_CONFORMANCE_SOCKET";
/// A double that should hang ends by this signal instead. The program under test treats it as its timeout.
inline constexpr int hanging_signal = SIGUSR2;

inline sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path))
        throw std::runtime_error("the path of the socket is too long: " + path);
    path.copy(static_cast<char*>(address.sun_path), path.size());
    return address;
}

/// Reads until the other side has finished.
inline std::string read_to_end(int fd) {
    std::string text;
    std::array<char, 65536> buffer{};
    while (true) {
        const auto count = ::read(fd, buffer.data(), buffer.size());
        if (count <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

/// Reports an effect to the runner and returns the recorded answer.
inline nlohmann::json report(const nlohmann::json& effect) {
    const char* path = std::getenv(socket_variable);
    if (path == nullptr) throw std::runtime_error(std::string(socket_variable) + " is not set");
    const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = address_of(path);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        throw std::runtime_error("the runner does not answer");
    }
    const auto text = effect.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (!write_all(socket.get(), text)) throw std::runtime_error("cannot send to the runner");
    ::shutdown(socket.get(), SHUT_WR);
    return nlohmann::json::parse(read_to_end(socket.get()));
}

}  // namespace trebuchet::conformance
