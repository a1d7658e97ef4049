#pragma once

#include "common/secret/secret_string.hpp"

#include <optional>
#include <string_view>

namespace trebuchet {

/// RFC 4648, with padding.
[[nodiscard]] WipedString base64_encoded(std::string_view bytes);
/// RFC 4648, section 5: for URLs and JSON Web Tokens, without padding.
[[nodiscard]] WipedString base64url_encoded(std::string_view bytes);

/// Decodes base64, with or without padding, and ignores line breaks. nullopt for anything else.
[[nodiscard]] std::optional<SecretString> base64_decoded(std::string_view text);
/// The same for the alphabet of URLs.
[[nodiscard]] std::optional<SecretString> base64url_decoded(std::string_view text);

}  // namespace trebuchet
