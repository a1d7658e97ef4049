#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <filesystem>

namespace trebuchet {

/// Who else may have access to a file.
enum class FilePrivacy {
    strict,      ///< nobody: the file 0600 and its folder 0700, or less; both ours or root's
    own_file,    ///< nobody: the file 0600, or less, ours or root's
    by_service,  ///< whom the service manager chose: not everybody, ours or root's
};

/// Reads a file with a secret, with all its bytes. Follows links and checks what they lead to. The Error says what is
/// wrong and what to run. Fails, without a partial result, if it is longer than `limit` bytes.
[[nodiscard]] Result<SecretString> read_private_file(const std::filesystem::path& path, std::size_t limit,
                                                     FilePrivacy privacy = FilePrivacy::strict);

}  // namespace trebuchet
