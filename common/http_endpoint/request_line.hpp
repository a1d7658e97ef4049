#pragma once

#include <optional>
#include <string_view>

namespace trebuchet {

/// The first line of an HTTP/1 request. Views into the text that it was parsed from.
struct RequestLine {
    std::string_view method;
    std::string_view path;  ///< as it was sent, without the query
};

/// Of a request's head, "METHOD TARGET HTTP/1.x" and whatever lines follow. Nothing if it is not that. A target may
/// hold blanks: it is only ever compared.
[[nodiscard]] std::optional<RequestLine> parse_request_line(std::string_view head);

}  // namespace trebuchet
