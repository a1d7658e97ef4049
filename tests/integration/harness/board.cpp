#include "tests/integration/harness/board.hpp"

#include "tests/integration/harness/wait.hpp"

#include <array>
#include <cstdlib>
#include <map>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace trebuchet::harness {
namespace {

namespace fs = std::filesystem;

/// The first build downloads a kernel.
constexpr std::chrono::seconds build_patience{240};

fs::path build_image() {
    std::map<std::string, std::string> environment;
    for (const auto* name : {"HOME", "XDG_CACHE_HOME", "TMPDIR", "http_proxy", "https_proxy", "no_proxy"}) {
        if (const char* value = std::getenv(name)) environment[name] = value;
    }
    ChildProgram program({TREBUCHET_DUT "/build-image", {}, environment});
    if (!eventually([&] { return !program.is_running(); }, build_patience)) {
        throw std::runtime_error("tests/dut/build-image did not finish in time: " + program.err());
    }
    const auto ending = program.wait();
    if (ending.code != 0) throw std::runtime_error("tests/dut/build-image failed: " + ending.err);
    return ending.out.substr(0, ending.out.find('\n'));
}

/// Returns a connected socket, or an empty descriptor.
FileDescriptor connect_to(std::uint16_t port) {
    FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    return ::connect(socket.get(), generic, sizeof address) == 0 ? std::move(socket) : FileDescriptor();
}

}  // namespace

const fs::path& dut_image() {
    static const fs::path image = build_image();
    return image;
}

Board::Board(bool is_on) {
    const auto& image = dut_image();
    if (!is_on) return;
    program_.emplace(Command{TREBUCHET_DUT "/run-board",
                             {image, folder_.path(), std::to_string(ssh_.number()), std::to_string(serial_.number())}});
    const auto has_started = [&] { return fs::exists(folder_ / "qmp") || !program_->is_running(); };
    if (!eventually(has_started) || !program_->is_running()) {
        throw std::runtime_error("the board did not start: " + program_->err());
    }
}

bool Board::prints(std::string_view text) {
    std::string printed;
    const auto console = connect_to(serial_.number());
    return console && eventually(
                          [&] {
                              std::array<char, 4096> buffer{};
                              pollfd ready{console.get(), POLLIN, 0};
                              if (::poll(&ready, 1, 0) == 0) return false;
                              const auto count = ::recv(console.get(), buffer.data(), buffer.size(), 0);
                              if (count > 0) printed.append(buffer.data(), static_cast<std::size_t>(count));
                              return printed.find(text) != std::string::npos;
                          },
                          boot_patience);
}

Ending Board::shell(const fs::path& key, const std::string& command) const {
    return run({"/usr/bin/ssh",
                {"-i", key, "-p", std::to_string(ssh_.number()), "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes",
                 "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                 "ubuntu@127.0.0.1", command}});
}

Json Board::configuration() const {
    return {{"agent_name", "board-1"},      {"device_ip", "127.0.0.1"},
            {"device_port", ssh_.number()}, {"device_key_file", dut_image() / "id_ed25519"},
            {"serial_host", "127.0.0.1"},   {"serial_port", serial_.number()},
            {"qemu_disk", card()},          {"env", {{"DUT_KEY", dut_image() / "id_ed25519"}}}};
}

}  // namespace trebuchet::harness
