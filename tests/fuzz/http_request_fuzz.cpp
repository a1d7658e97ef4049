#include "common/http_endpoint/request_line.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using trebuchet::require;

/// What a client sends to the metrics port is parsed as a request line or refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string head(data, data + size);
    const auto line = trebuchet::parse_request_line(head);
    if (!line) return 0;
    require(!line->method.empty() && line->method.find(' ') == std::string_view::npos, "a method is one word");
    require(line->path.find('?') == std::string_view::npos, "a path has no query");
    const auto first = head.substr(0, head.find("\r\n"));
    require(first.starts_with(std::string(line->method) + " " + std::string(line->path)),
            "method and path are unchanged");
    require(first.find(" HTTP/1.") != std::string::npos, "the version is HTTP/1");
    return 0;
}
