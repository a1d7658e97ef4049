#pragma once

#include <string>
#include <string_view>

namespace trebuchet {

/// Returns the release that an os-release file (os-release(5)) names: VERSION_CODENAME ("noble"), else VERSION_ID
/// ("24.04"), else "". The text comes from a device, so it may be hostile: a value is ignored unless it consists of 1
/// to 64 of the characters that the manual allows, [A-Za-z0-9._-], and only the first 64 KiB are read.
[[nodiscard]] std::string parse_os_release(std::string_view text);

}  // namespace trebuchet
