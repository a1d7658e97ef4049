#pragma once

#include <map>
#include <string>

namespace trebuchet::harness {

/// The regular files of a tar.gz, their bytes by their paths. Throws if it is not one.
[[nodiscard]] std::map<std::string, std::string> unpack_tar_gz(const std::string& archive);

}  // namespace trebuchet::harness
