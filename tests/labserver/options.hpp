#pragma once

#include "tests/labserver/faults/fault.hpp"
#include "tests/labserver/net/https_listener.hpp"
#include "tests/labserver/store/tokens.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet::labserver {

struct Options {
    std::string address;
    std::uint16_t port = 0;
    std::optional<TlsFiles> tls;
    std::optional<std::filesystem::path> clients;
    std::optional<std::filesystem::path> data;
    std::optional<std::filesystem::path> keys;
    TokenLifetimes lifetimes;
    std::vector<Fault> faults;
    bool exports = false;  ///< print what another server needs instead of serving
};

/// The program prints `text` and exits with `code`: 0 for help and version (to stdout), 2 for a wrong command line (to
/// stderr).
struct EarlyExit {
    int code = 0;
    std::string text;
};

[[nodiscard]] tl::expected<Options, EarlyExit> parse_command_line(int argc, const char* const* argv);

}  // namespace trebuchet::labserver
