#include "tests/labserver/net/multipart.hpp"

#include <algorithm>
#include <string>

namespace trebuchet::labserver {
namespace {

std::string lower_case(std::string_view text) {
    std::string lowered(text);
    for (auto& c : lowered) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lowered;
}

/// The value of `; name=value` or `; name="value"` in a header, or "" if there is none.
std::string_view parameter(std::string_view header, std::string_view name) {
    const auto lowered = lower_case(header);
    for (auto semicolon = header.find(';'); semicolon != std::string_view::npos;
         semicolon = header.find(';', semicolon + 1)) {
        const auto start = header.find_first_not_of(" \t", semicolon + 1);
        if (start == std::string_view::npos || lowered.compare(start, name.size() + 1, std::string(name) + "=") != 0)
            continue;
        auto value = header.substr(start + name.size() + 1);
        if (value.starts_with('"')) {
            value.remove_prefix(1);
            return value.substr(0, value.find('"'));
        }
        return value.substr(0, value.find_first_of("; \t"));
    }
    return {};
}

/// The value of the header `name` in a part's headers, or "" if there is none.
std::string_view part_header(std::string_view headers, std::string_view name) {
    while (!headers.empty()) {
        const auto end = std::min(headers.find("\r\n"), headers.size());
        const auto line = headers.substr(0, end);
        headers.remove_prefix(std::min(end + 2, headers.size()));
        const auto colon = line.find(':');
        if (colon != std::string_view::npos && lower_case(line.substr(0, colon)) == name) return line.substr(colon + 1);
    }
    return {};
}

}  // namespace

std::optional<std::string_view> multipart_field(std::string_view content_type, std::string_view body,
                                                std::string_view name) {
    if (!lower_case(content_type).starts_with("multipart/form-data")) return std::nullopt;
    const auto boundary = parameter(content_type, "boundary");
    if (boundary.empty()) return std::nullopt;
    const auto delimiter = "--" + std::string(boundary);
    const auto separator = "\r\n" + delimiter;
    auto start = body.starts_with(delimiter) ? 0 : body.find(separator);
    if (start != 0) {
        if (start == std::string_view::npos) return std::nullopt;
        start += 2;
    }
    for (;;) {
        const auto part = start + delimiter.size();
        const auto end = body.find(separator, part);
        if (end == std::string_view::npos) return std::nullopt;
        const auto headers = body.find("\r\n", part);
        const auto blank = body.find("\r\n\r\n", part);
        if (blank < end && headers < end) {
            const auto disposition =
                part_header(body.substr(headers + 2, blank - std::min(blank, headers + 2)), "content-disposition");
            if (parameter(disposition, "name") == name) return body.substr(blank + 4, end - std::min(end, blank + 4));
        }
        start = end + 2;
    }
}

}  // namespace trebuchet::labserver
