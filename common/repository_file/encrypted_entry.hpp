#pragma once

#include "common/base/result.hpp"
#include "common/yaml/yaml.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// RSA-4096: the size of each block of a ciphertext, in bytes.
inline constexpr std::size_t encrypted_block = 512;
/// The longest ciphertext. 64 blocks hold 28,544 bytes of a value.
inline constexpr std::size_t most_encrypted_blocks = 64;

/// One ciphertext: "<base64>" or "<user>,<base64>".
struct EncryptedEntry {
    std::string user;    ///< whom it is for: a client_id, or the id of a token; "": not said
    std::string base64;  ///< without white space; of 1 to most_encrypted_blocks blocks
    YamlPosition at{};

    /// As in the file.
    [[nodiscard]] std::string text() const { return user.empty() ? base64 : user + "," + base64; }
};

/// A secret: of several entries the first that can be decrypted counts. Without any it has no value.
struct EncryptedValue {
    std::vector<EncryptedEntry> entries;
    YamlPosition at{};
};

/// True for 1 to 128 letters, digits, '-', '_', '.' and '@'.
[[nodiscard]] bool is_encrypted_user(std::string_view text);

/// Reads a text that may be wrapped over several lines. The Error says what it is instead, and quotes nothing.
[[nodiscard]] Result<EncryptedEntry> parse_encrypted_entry(std::string_view text);

}  // namespace trebuchet
