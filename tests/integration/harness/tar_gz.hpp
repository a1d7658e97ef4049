#pragma once

#include <map>
#include <string>

namespace trebuchet::harness {

/// The regular files of a tar.gz, as a map from path to content. Throws if it is not a tar.gz.
[[nodiscard]] std::map<std::string, std::string> unpack_tar_gz(const std::string& archive);

}  // namespace trebuchet::harness
