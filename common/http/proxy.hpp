#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace trebuchet {

/// The proxy that the usual variables name for this server ("http_proxy", "https_proxy", "no_proxy", or in upper case),
/// or "". `no_proxy`: host names and domain suffixes separated by commas, or "*". Loopback never goes through a proxy.
[[nodiscard]] std::string proxy_for(std::string_view scheme, std::string_view host,
                                    const std::function<const char*(const char*)>& getenv);

}  // namespace trebuchet
