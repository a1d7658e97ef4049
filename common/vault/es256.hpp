#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// A key pair on the curve P-256, for JSON Web Tokens with ES256 (RFC 7518, section 3.4).
struct Es256KeyPair {
    SecretString private_pem;
    std::string public_pem;
};
[[nodiscard]] Result<Es256KeyPair> make_es256_key();

/// The public key of a private one, both PEM.
[[nodiscard]] Result<std::string> es256_public_key(std::string_view private_pem);

/// A signed JSON Web Token with these claims, a JSON object. Fails if the key is not a private key on P-256.
[[nodiscard]] Result<WipedString> make_es256_token(std::string_view private_pem, std::string_view claims);

/// Whether the token's signature is right. For tests and for who debugs an identity.
[[nodiscard]] bool is_es256_token_of(std::string_view public_pem, std::string_view token);

}  // namespace trebuchet
