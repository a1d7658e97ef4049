#include "common/http_endpoint/request_line.hpp"

#include <string>

namespace trebuchet {
namespace {

std::string lower(std::string_view text) {
    std::string all(text);
    for (char& c : all) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return all;
}

}  // namespace

std::optional<RequestLine> parse_request_line(std::string_view head) {
    const auto line = head.substr(0, head.find("\r\n"));
    const auto after_method = line.find(' ');
    const auto after_target = line.rfind(' ');
    if (after_method == 0 || after_method == after_target || after_target == std::string_view::npos) {
        return std::nullopt;
    }
    if (!line.substr(after_target + 1).starts_with("HTTP/1.")) return std::nullopt;
    const auto target = line.substr(after_method + 1, after_target - after_method - 1);
    return RequestLine{line.substr(0, after_method), target.substr(0, target.find('?'))};
}

bool has_local_host(std::string_view head) {
    std::optional<std::string> host;
    while (!head.empty()) {
        const auto end = head.find("\r\n");
        const auto line = head.substr(0, end);
        head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
        const auto colon = line.find(':');
        if (lower(line.substr(0, colon)) != "host" || colon == std::string_view::npos) continue;
        if (host) return false;
        host = lower(line.substr(colon + 1));
        host->erase(0, host->find_first_not_of(" \t"));
    }
    if (!host) return false;
    const auto bracket = host->rfind(']');
    const auto colon = host->rfind(':');
    if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) host->resize(colon);
    const bool is_ipv4 = host->starts_with("127.") && host->find_first_not_of("0123456789.") == std::string::npos;
    return *host == "localhost" || *host == "[::1]" || is_ipv4;
}

}  // namespace trebuchet
