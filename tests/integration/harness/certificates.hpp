#pragma once

#include <filesystem>
#include <string>

namespace trebuchet::harness {

/// A throw-away authority and a server's certificate by it, for 127.0.0.1 and localhost. All files are PEM.
struct Certificates {
    std::filesystem::path ca;
    std::filesystem::path server;
    std::filesystem::path server_key;
};

/// Makes them in `folder`. Throws if OpenSSL fails.
[[nodiscard]] Certificates make_certificates(const std::filesystem::path& folder);

}  // namespace trebuchet::harness
