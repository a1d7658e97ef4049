#pragma once

#include "common/base/result.hpp"
#include "provision/image/digest.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// The expected digest of a file.
struct Checksum {
    DigestKind kind = DigestKind::sha256;
    std::string hex;  ///< lower case
};

/// Parses 64 (SHA-256) or 128 (SHA-512) hex digits in lower or upper case, optionally after "sha256:", "SHA-256=" and
/// the like. Also parses the output of `sha256sum` or `sha512sum`, with --tag or without, and uses the line for
/// `file_name`.
[[nodiscard]] Result<Checksum> parse_checksum(std::string_view text, std::string_view file_name);

}  // namespace trebuchet
