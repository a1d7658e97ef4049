#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trebuchet::labserver {

/// RFC 4648, section 5 (URL-safe alphabet), without padding.
[[nodiscard]] std::string base64url(std::string_view bytes);

/// Decodes either alphabet, with or without padding. Returns nullopt for anything else.
[[nodiscard]] std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace trebuchet::labserver
