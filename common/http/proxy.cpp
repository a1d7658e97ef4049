#include "common/http/proxy.hpp"

#include "common/http/origin.hpp"

#include <algorithm>
#include <cctype>

namespace trebuchet {
namespace {

std::string variable(std::string name, const std::function<const char*(const char*)>& getenv) {
    const char* value = getenv(name.c_str());
    if (value == nullptr || *value == '\0') {
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
        value = getenv(name.c_str());
    }
    return value == nullptr ? "" : value;
}

bool is_exempt(std::string_view host, std::string_view list) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        auto entry = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        while (!entry.empty() && entry.front() == ' ') entry.remove_prefix(1);
        while (!entry.empty() && entry.back() == ' ') entry.remove_suffix(1);
        if (entry == "*") return true;
        if (!entry.empty() && entry.front() == '.') entry.remove_prefix(1);
        if (entry.empty() || !host.ends_with(entry)) continue;
        if (host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.') return true;
    }
    return false;
}

}  // namespace

std::string proxy_for(std::string_view scheme, std::string_view host,
                      const std::function<const char*(const char*)>& getenv) {
    if (is_loopback(host)) return "";
    if (is_exempt(host, variable("no_proxy", getenv))) return "";
    return variable(std::string(scheme) + "_proxy", getenv);
}

}  // namespace trebuchet
