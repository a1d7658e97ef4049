#pragma once

#include <optional>
#include <string_view>

namespace trebuchet {

/// The first line of an HTTP/1 request. Views of the parsed text.
struct RequestLine {
    std::string_view method;
    std::string_view path;  ///< as sent, without the query
};

/// Parses a head: "METHOD TARGET HTTP/1.x" and further lines. nullopt if it is invalid. A target may contain blanks, as
/// we only compare it.
[[nodiscard]] std::optional<RequestLine> parse_request_line(std::string_view head);

/// True if the head has one Host header, and it names this host: localhost or a loopback address, with any port.
[[nodiscard]] bool has_local_host(std::string_view head);

}  // namespace trebuchet
