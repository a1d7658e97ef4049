#include "agent/config/server_address.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <cctype>

namespace trebuchet {
namespace {

constexpr std::string_view alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool consists_of(std::string_view text, std::string_view set) {
    return !text.empty() && text.find_first_not_of(set) == std::string_view::npos;
}

bool is_host(std::string_view host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        return consists_of(host.substr(1, host.size() - 2), "0123456789abcdefABCDEF:.");
    }
    return consists_of(host, std::string(alphanumeric) + "-._");
}

bool is_port(std::string_view port) {
    return consists_of(port, "0123456789") && port.size() <= 5 && std::stoi(std::string(port)) >= 1 &&
           std::stoi(std::string(port)) <= 65535;
}

}  // namespace

Result<ServerAddress> parse_server_address(std::string_view text) {
    std::string scheme = "http";
    std::string_view rest = text;
    if (const auto end = text.find("://"); end != std::string_view::npos) {
        scheme = text.substr(0, end);
        std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        rest = text.substr(end + 3);
    }
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    const auto path = rest.substr(authority.size());
    if (authority.find('@') != std::string_view::npos) {
        return fail("found a user or a password in the address, expected only a host and a port");
    }
    const auto wrong = [text](std::string_view expected) {
        return fail("found " + trebuchet::quoted(text) + ", expected " + std::string(expected));
    };
    if (scheme != "http" && scheme != "https") return wrong("an address that starts with http:// or https://");
    if (path.find_first_of("?#") != std::string_view::npos) return wrong("an address without ? and #");

    const auto bracket = authority.rfind(']');
    const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    const auto host = authority.substr(0, colon);
    if (host.empty()) return wrong("a host, such as https://testflinger.example.com");
    if (!is_host(host)) return wrong("a host name or an address, an IPv6 address in brackets");
    if (colon != std::string_view::npos && !is_port(authority.substr(colon + 1))) {
        if (authority.find(':', colon + 1) != std::string_view::npos) {
            return wrong("one colon before the port, and an IPv6 address in brackets");
        }
        return wrong("a port from 1 to 65535 after the colon");
    }
    return ServerAddress{scheme + "://" + std::string(authority), std::string(path)};
}

}  // namespace trebuchet
