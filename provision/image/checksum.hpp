#pragma once

#include "common/base/result.hpp"
#include "provision/image/digest.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// What a file's digest must be.
struct Checksum {
    DigestKind kind = DigestKind::sha256;
    std::string hex;  ///< lower case
};

/// Takes 64 (SHA-256) or 128 (SHA-512) hex digits, with "sha256:" or "sha512:" in front or not; or what `sha256sum`
/// and `sha512sum` print, of one file or of many, where the line of `file_name` counts.
[[nodiscard]] Result<Checksum> parse_checksum(std::string_view text, std::string_view file_name);

}  // namespace trebuchet
