#pragma once

#include <string>
#include <string_view>

namespace trebuchet::labserver {

/// Encodes any bytes as a value for Set-Cookie: in quotes with octal escapes where needed, as the real server does.
[[nodiscard]] std::string encode_cookie_value(std::string_view value);

/// Returns the cookie of that name in a Cookie header, decoded, or "" if there is none.
[[nodiscard]] std::string cookie_value(std::string_view header, std::string_view name);

}  // namespace trebuchet::labserver
