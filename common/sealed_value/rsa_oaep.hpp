#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace trebuchet {

/// RSA-4096 with OAEP and SHA-256 (RFC 8017, section 7.1), with MGF1 on SHA-256 and without a label; as `openssl
/// pkeyutl -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256` does it.
inline constexpr std::size_t rsa_block_of_value = 446;  ///< bytes that one block of 512 holds

struct RsaKeyPair {
    SecretString private_pem;
    std::string public_pem;
};
/// Takes about a second.
[[nodiscard]] Result<RsaKeyPair> make_rsa_key();

/// The public key of a private one, both PEM.
[[nodiscard]] Result<std::string> rsa_public_key(std::string_view private_pem);

/// The first 16 hexadecimal digits of SHA-256 of the public key (DER).
[[nodiscard]] Result<std::string> rsa_key_id(std::string_view public_pem);

/// Encrypts each 446 bytes of the value to a block of 512, one after the other. The key must have 4096 bits. Fails for
/// an empty value, and for one of more than 64 blocks.
[[nodiscard]] Result<std::string> rsa_encrypted(std::string_view public_pem, std::string_view value);

/// Fails, with one message for all reasons, if a block was not encrypted for this key.
[[nodiscard]] Result<SecretString> rsa_decrypted(std::string_view private_pem, std::string_view blocks);

}  // namespace trebuchet
