#include "common/http/origin.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include <arpa/inet.h>

namespace trebuchet {
namespace {

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

}  // namespace

bool is_loopback(std::string_view host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    const auto name = lower_case(host);
    in_addr v4{};
    in6_addr v6{};
    if (::inet_pton(AF_INET, name.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127;
    if (::inet_pton(AF_INET6, name.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
    return name == "localhost";
}

bool travels_in_clear(std::string_view origin) {
    constexpr std::string_view clear = "http://";
    if (lower_case(origin.substr(0, clear.size())) != clear) return false;
    auto host = origin.substr(clear.size());
    host = host.substr(0, host.find_first_of("/?#"));
    if (const auto user = host.rfind('@'); user != std::string_view::npos) host.remove_prefix(user + 1);
    const auto port = host.starts_with('[') ? host.find("]:") + 1 : host.find(':');
    return !is_loopback(host.substr(0, port == 0 ? std::string_view::npos : port));
}

}  // namespace trebuchet
