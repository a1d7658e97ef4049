#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

struct ServerAddress {
    std::string origin;  ///< "http://host", "https://host:port"; the scheme in lower case
    std::string path;    ///< the path after it, which we do not use; may be "" or "/"
};

/// Parses `server_address`: "host", "host:port" or a URL; the default scheme is http. The error is "found …, expected
/// …" and quotes no user name or password.
[[nodiscard]] Result<ServerAddress> parse_server_address(std::string_view text);

}  // namespace trebuchet
