#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace trebuchet {

/// The proxy for this server, or "". Reads http_proxy, https_proxy and no_proxy (or upper case). `no_proxy`:
/// comma-separated host names and domain suffixes, or "*". Loopback never uses a proxy.
[[nodiscard]] std::string proxy_for(std::string_view scheme, std::string_view host,
                                    const std::function<const char*(const char*)>& getenv);

}  // namespace trebuchet
