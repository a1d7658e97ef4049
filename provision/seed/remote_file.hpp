#pragma once

#include "common/secret/secret_string.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// Appends commands that replace a file by sudo. Removes it first, so that a symbolic link is not followed.
void add_remote_file(WipedString& script, const std::string& path, std::string_view content, const char* mode);

}  // namespace trebuchet
