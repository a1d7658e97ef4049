#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// Checks a job's URL before it becomes an argument of a program that may pass it on to a shell. Expected: http, https,
/// ftp or ftps, a host, no user or password (every user of the host can see command lines), and no character that means
/// something to a shell, but for "&", "?", "#", "*" and "~". The Error names the `field` and does not quote the URL.
[[nodiscard]] Result<void> check_argument_url(std::string_view url, std::string_view field);

/// Checks a URL as the server does: one of these schemes, no blank, and a host that has a dot, is an address or is
/// "localhost".
[[nodiscard]] Result<void> check_public_url(std::string_view url, std::string_view field);

}  // namespace trebuchet
