#pragma once

#include <string>
#include <string_view>

namespace trebuchet::labserver {

/// A value fit for Set-Cookie, whatever it holds: in quotes with octal escapes where needed, as the real server does.
[[nodiscard]] std::string encode_cookie_value(std::string_view value);

/// The value of that name in a Cookie header, decoded; "" if it is not there.
[[nodiscard]] std::string cookie_value(std::string_view header, std::string_view name);

}  // namespace trebuchet::labserver
