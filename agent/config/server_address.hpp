#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

struct ServerAddress {
    std::string origin;  ///< "http://host", "https://host:port"; the scheme in lower case
    std::string path;    ///< what stood behind it, "" or "/" at least: no part of the API's addresses
};

/// Takes `server_address` apart: "host", "host:port" or a URL; without a scheme it is http. The error reads
/// "found …, expected …" and quotes no user or password.
[[nodiscard]] Result<ServerAddress> parse_server_address(std::string_view text);

}  // namespace trebuchet
