#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <filesystem>

namespace trebuchet {

/// As read_secret_file, but only of a regular file, so that it never waits for a writer. Follows links.
[[nodiscard]] Result<SecretString> read_credential_file(const std::filesystem::path& path, std::size_t limit);

}  // namespace trebuchet
