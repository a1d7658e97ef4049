#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <filesystem>

namespace trebuchet {

/// Like read_secret_file, but accepts only a regular file, so it never waits for a writer. Follows links.
[[nodiscard]] Result<SecretString> read_credential_file(const std::filesystem::path& path, std::size_t limit);

}  // namespace trebuchet
